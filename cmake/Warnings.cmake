# Warnings are errors, with gcc and with clang; the set is what both report without false alarms.
add_compile_options(
  -Werror -Wall -Wextra -Wpedantic
  -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align -Wpointer-arith -Wundef -Wvla
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs
  -Wformat=2 -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wredundant-decls)
