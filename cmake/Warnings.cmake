# Warnings are errors, with gcc and with clang; the set is what both report without false alarms.
add_compile_options(
  -Werror -Wall -Wextra -Wpedantic
  -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align -Wpointer-arith -Wundef -Wvla
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs
  -Wformat=2 -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough -Wredundant-decls)

# gcc follows values through the code that its sanitizers insert, and then warns of paths that do not exist.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE MATCHES "San$")
  add_compile_options(-Wno-maybe-uninitialized -Wno-format-truncation -Wno-stringop-overflow)
endif()
