# Build types: Release (default), Debug, ASan (address + undefined behaviour), TSan (data races), Fuzz (ASan with the
# coverage that libFuzzer goes by; clang only).
# All but Release define NOVA_DEBUG=1, which turns on the lock-rank checker and the core's own assertions.

set(NOVA_BUILD_TYPES Release Debug ASan TSan Fuzz)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "One of ${NOVA_BUILD_TYPES}" FORCE)
endif()
if(NOT CMAKE_BUILD_TYPE IN_LIST NOVA_BUILD_TYPES)
  message(FATAL_ERROR "CMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}: one of ${NOVA_BUILD_TYPES} expected")
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Fuzz" AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "CMAKE_BUILD_TYPE=Fuzz needs libFuzzer: add -DCMAKE_C_COMPILER=clang")
endif()

# Sanitizers stop at the first finding: a test that goes on after one hides it in its output.
set(_sanitize "-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -DNOVA_DEBUG=1")

set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3 -DNOVA_DEBUG=1")
set(CMAKE_C_FLAGS_ASAN "${_sanitize} -fsanitize=address,undefined")
set(CMAKE_C_FLAGS_FUZZ "${_sanitize} -fsanitize=address,undefined,fuzzer-no-link")
set(CMAKE_C_FLAGS_TSAN "${_sanitize} -fsanitize=thread")

# gcc's TSan maps its shadow at fixed addresses and gives up at start where the kernel randomizes more than
# 28 bits of an mmap address; such a kernel runs its tests without randomization.
set(NOVA_TEST_LAUNCHER "")
if(CMAKE_BUILD_TYPE STREQUAL "TSan" AND EXISTS /proc/sys/vm/mmap_rnd_bits)
  file(READ /proc/sys/vm/mmap_rnd_bits _rnd_bits)
  if(_rnd_bits GREATER 28)
    set(NOVA_TEST_LAUNCHER setarch -R)
  endif()
endif()
