// SPDX-License-Identifier: Apache-2.0
// Directories and links of the tree. Answers that contain paths are given in the program's names.
#include <dirent.h>
#include <glob.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "preload/interpose/interpose.h"

namespace iommusim::preload {
namespace {

void strip_text(char* text) {
  const std::size_t length = std::strlen(text);
  text[Runtime::get().tree().strip(text, length)] = 0;
}

long readlink_any(int directory, const char* path, char* out, std::size_t room) {
  const Redirected to(path);
  char target[4096];
  const long got = sys::call(SYS_readlinkat, directory, to.get(), target, sizeof target);
  if (got < 0) return got;
  std::size_t length = Runtime::get().tree().strip(target, static_cast<std::size_t>(got));
  if (length > room) length = room;
  std::memcpy(out, target, length);
  return static_cast<long>(length);
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

IOMMUSIM_INTERPOSE(DIR*, opendir, const char* path) {
  const Redirected to(path);
  return IOMMUSIM_NEXT(opendir)(to.get());
}

#define IOMMUSIM_SCANDIR(name, Entry)                                                        \
  IOMMUSIM_INTERPOSE(int, name, const char* path, Entry*** out, int (*filter)(const Entry*), \
                     int (*compare)(const Entry**, const Entry**)) {                         \
    const Redirected to(path);                                                               \
    return IOMMUSIM_NEXT(name)(to.get(), out, filter, compare);                              \
  }
IOMMUSIM_SCANDIR(scandir, dirent)
IOMMUSIM_SCANDIR(scandir64, dirent64)

#define IOMMUSIM_GLOB(name, Result)                                                                             \
  IOMMUSIM_INTERPOSE(int, name, const char* pattern, int flags, int (*failed)(const char*, int), Result* out) { \
    const Redirected to(pattern);                                                                               \
    const int error = IOMMUSIM_NEXT(name)(to.get(), flags, failed, out);                                        \
    if (error == 0 || error == GLOB_NOMATCH)                                                                    \
      for (std::size_t i = 0; out->gl_pathv && i < out->gl_pathc; ++i) {                                        \
        char* const path = out->gl_pathv[(flags & GLOB_DOOFFS ? out->gl_offs : 0) + i];                         \
        if (path) strip_text(path);                                                                             \
      }                                                                                                         \
    return error;                                                                                               \
  }
IOMMUSIM_GLOB(glob, glob_t)
IOMMUSIM_GLOB(glob64, glob64_t)

IOMMUSIM_INTERPOSE(long, readlink, const char* path, char* out, std::size_t room) {
  return as_libc(readlink_any(AT_FDCWD, path, out, room));
}
IOMMUSIM_INTERPOSE(long, __readlink_chk, const char* path, char* out, std::size_t room, std::size_t /*size*/) {
  return as_libc(readlink_any(AT_FDCWD, path, out, room));
}
IOMMUSIM_INTERPOSE(long, readlinkat, int directory, const char* path, char* out, std::size_t room) {
  return as_libc(readlink_any(directory, path, out, room));
}

IOMMUSIM_INTERPOSE(char*, realpath, const char* path, char* out) {
  const Redirected to(path);
  char* const result = IOMMUSIM_NEXT(realpath)(to.get(), out);
  if (result) strip_text(result);
  return result;
}
IOMMUSIM_INTERPOSE(char*, __realpath_chk, const char* path, char* out, std::size_t /*size*/) {
  return iommusim_realpath(path, out);
}
IOMMUSIM_INTERPOSE(char*, canonicalize_file_name, const char* path) { return iommusim_realpath(path, nullptr); }

// Extended attributes, which a listing asks for.
#define IOMMUSIM_GET_ATTRIBUTE(name)                                                                       \
  IOMMUSIM_INTERPOSE(long, name, const char* path, const char* attribute, void* value, std::size_t room) { \
    const Redirected to(path);                                                                             \
    return as_libc(sys::call(SYS_##name, to.get(), attribute, value, room));                               \
  }
#define IOMMUSIM_LIST_ATTRIBUTES(name)                                             \
  IOMMUSIM_INTERPOSE(long, name, const char* path, char* list, std::size_t room) { \
    const Redirected to(path);                                                     \
    return as_libc(sys::call(SYS_##name, to.get(), list, room));                   \
  }
IOMMUSIM_GET_ATTRIBUTE(getxattr)
IOMMUSIM_GET_ATTRIBUTE(lgetxattr)
IOMMUSIM_LIST_ATTRIBUTES(listxattr)
IOMMUSIM_LIST_ATTRIBUTES(llistxattr)

IOMMUSIM_INTERPOSE(int, chdir, const char* path) {
  const Redirected to(path);
  return static_cast<int>(as_libc(sys::call(SYS_chdir, to.get())));
}
IOMMUSIM_INTERPOSE(char*, getcwd, char* out, std::size_t room) {
  char* const result = IOMMUSIM_NEXT(getcwd)(out, room);
  if (result) strip_text(result);
  return result;
}
