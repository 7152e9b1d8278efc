# cmake -DLIBRARY=libjninova.so -P SealJniLibrary.cmake
#
# Last step of building the JNI library, called by Maven: checks what it needs and what it exports, then
# writes its SHA-256 to LIBRARY.sha256. NativeLibrary.java names the extracted copy by that hash.

# What every glibc system has; libm and libpthread are separate libraries, or parts of libc, by version.
set(allowed_needed "^(libc|libm|libpthread)\\.so\\.[0-9]+$|^ld-linux.*\\.so\\.[0-9]+$")
set(allowed_export "^Java_org_jnova_")

function(tool_lines out)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

tool_lines(dynamic readelf --dynamic --wide ${LIBRARY})
foreach(line IN LISTS dynamic)
  if(line MATCHES "\\(NEEDED\\).*\\[(.+)\\]")
    if(NOT CMAKE_MATCH_1 MATCHES "${allowed_needed}")
      message(FATAL_ERROR "${LIBRARY} needs ${CMAKE_MATCH_1} at run time; only glibc is allowed")
    endif()
  elseif(line MATCHES "\\((RPATH|RUNPATH|TEXTREL)\\)")
    message(FATAL_ERROR "${LIBRARY} carries an unwanted ${CMAKE_MATCH_1}")
  endif()
endforeach()

tool_lines(exports nm --dynamic --defined-only --format=just-symbols ${LIBRARY})
foreach(symbol IN LISTS exports)
  if(NOT symbol MATCHES "${allowed_export}")
    message(FATAL_ERROR "${LIBRARY} exports ${symbol}; only natives of org.jnova are allowed")
  endif()
endforeach()

file(SHA256 ${LIBRARY} hash)
file(WRITE ${LIBRARY}.sha256 "${hash}\n")
