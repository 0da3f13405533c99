# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers, ccache: one interface target, `iommusim_flags`, that only our own code links.
set(CMAKE_CXX_STANDARD 17)  # Debian's libsystemc is built for C++17; another level does not link
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # assertions stay: an internal contradiction stops the run

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE_PROGRAM})
endif()

add_library(iommusim_flags INTERFACE)
target_compile_options(iommusim_flags INTERFACE -Wall -Wextra -Wconversion -Werror -fno-omit-frame-pointer)
if(IOMMUSIM_SANITIZE)
  add_compile_options(-fsanitize=${IOMMUSIM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IOMMUSIM_SANITIZE})
endif()

find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()
