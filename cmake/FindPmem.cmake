# Finds the static libpmem of PMDK and defines Pmem::pmem. Static, because the JNI library must need nothing
# but glibc at run time. Its references to libndctl are closed by native/src/pmem/no_ndctl.c.
find_path(PMEM_INCLUDE_DIR libpmem.h)
find_library(PMEM_LIBRARY NAMES libpmem.a)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Pmem
  REQUIRED_VARS PMEM_LIBRARY PMEM_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Debian and Ubuntu: apt-get install libpmem-dev")
mark_as_advanced(PMEM_INCLUDE_DIR PMEM_LIBRARY)

if(Pmem_FOUND AND NOT TARGET Pmem::pmem)
  add_library(Pmem::pmem STATIC IMPORTED)
  set_target_properties(Pmem::pmem PROPERTIES
    IMPORTED_LOCATION "${PMEM_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${PMEM_INCLUDE_DIR}")
endif()
