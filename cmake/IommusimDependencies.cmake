# SPDX-License-Identifier: Apache-2.0
# Third-party libraries, all from Debian. `scripts/install-dependencies` lists the packages.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
find_package(ZLIB REQUIRED)

find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
add_library(rapidcheck UNKNOWN IMPORTED)
set_target_properties(rapidcheck PROPERTIES IMPORTED_LOCATION ${RAPIDCHECK_LIBRARY})

if(IOMMUSIM_WITH_SYSTEMC)
  find_library(SYSTEMC_LIBRARY systemc REQUIRED)
  find_path(SYSTEMC_INCLUDE_DIR systemc REQUIRED)
  add_library(systemc UNKNOWN IMPORTED)
  set_target_properties(systemc PROPERTIES IMPORTED_LOCATION ${SYSTEMC_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                               ${SYSTEMC_INCLUDE_DIR})
endif()
