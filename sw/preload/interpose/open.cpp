// SPDX-License-Identifier: Apache-2.0
// Opening: device nodes, the tree, status files of /proc.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <sys/mman.h>

#include "preload/interpose/interpose.h"
#include "preload/proc_status.h"

namespace iommusim::preload {

int open_text(const std::string& text, int flags) {
  const int fd = static_cast<int>(sys::call(SYS_memfd_create, "status", (flags & O_CLOEXEC) ? MFD_CLOEXEC : 0U));
  if (fd < 0) return fd;
  sys::write(fd, text.data(), text.size());
  sys::call(SYS_lseek, fd, 0L, SEEK_SET);
  return fd;
}

int open_any(int directory, const char* path, int flags, unsigned mode) {
  Runtime& runtime = Runtime::get();
  if (runtime.active() && path) {
    const int process = status_process(path);
    if (process >= 0) {
      const std::string text = runtime.status_text(process);
      if (!text.empty()) return open_text(text, flags);
    }
  }
  const Redirected to(path);
  return runtime.opened(static_cast<int>(sys::call(SYS_openat, directory, to.get(), flags, mode)));
}

namespace {

bool has_mode(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

FILE* stream_of(int fd, const char* mode) {
  FILE* const stream = fd < 0 ? nullptr : fdopen(fd, mode);
  if (fd < 0) errno = -fd;
  return stream;
}

template <class Next>
FILE* open_stream(const char* path, const char* mode, Next next) {
  Runtime& runtime = Runtime::get();
  if (!runtime.active()) return next(path, mode);
  if (path && status_process(path) >= 0 && std::strpbrk(mode, "wa+") == nullptr)
    return stream_of(open_any(AT_FDCWD, path, O_RDONLY | (std::strchr(mode, 'e') ? O_CLOEXEC : 0), 0), "r");
  const Redirected to(path);
  FILE* const stream = next(to.get(), mode);
  if (!stream) return nullptr;
  const int fd = runtime.opened(fileno(stream));
  if (fd >= 0) return stream;
  fclose(stream);
  errno = -fd;
  return nullptr;
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

#define IOMMUSIM_OPEN(name)                                                  \
  IOMMUSIM_INTERPOSE(int, name, const char* path, int flags, ...) {          \
    va_list arguments;                                                       \
    va_start(arguments, flags);                                              \
    const unsigned mode = has_mode(flags) ? va_arg(arguments, unsigned) : 0; \
    va_end(arguments);                                                       \
    return static_cast<int>(as_libc(open_any(AT_FDCWD, path, flags, mode))); \
  }
#define IOMMUSIM_OPENAT(name)                                                      \
  IOMMUSIM_INTERPOSE(int, name, int directory, const char* path, int flags, ...) { \
    va_list arguments;                                                             \
    va_start(arguments, flags);                                                    \
    const unsigned mode = has_mode(flags) ? va_arg(arguments, unsigned) : 0;       \
    va_end(arguments);                                                             \
    return static_cast<int>(as_libc(open_any(directory, path, flags, mode)));      \
  }
#define IOMMUSIM_FOPEN(name)                                                                                \
  IOMMUSIM_INTERPOSE(FILE*, name, const char* path, const char* mode) {                                     \
    return open_stream(path, mode, [](const char* p, const char* m) { return IOMMUSIM_NEXT(name)(p, m); }); \
  }

IOMMUSIM_OPEN(open)
IOMMUSIM_OPEN(open64)
IOMMUSIM_OPENAT(openat)
IOMMUSIM_OPENAT(openat64)
IOMMUSIM_FOPEN(fopen)
IOMMUSIM_FOPEN(fopen64)

IOMMUSIM_INTERPOSE(int, __open_2, const char* path, int flags) {
  return static_cast<int>(as_libc(open_any(AT_FDCWD, path, flags, 0)));
}
IOMMUSIM_INTERPOSE(int, __open64_2, const char* path, int flags) {
  return static_cast<int>(as_libc(open_any(AT_FDCWD, path, flags, 0)));
}
IOMMUSIM_INTERPOSE(int, __openat_2, int directory, const char* path, int flags) {
  return static_cast<int>(as_libc(open_any(directory, path, flags, 0)));
}
IOMMUSIM_INTERPOSE(int, __openat64_2, int directory, const char* path, int flags) {
  return static_cast<int>(as_libc(open_any(directory, path, flags, 0)));
}
IOMMUSIM_INTERPOSE(int, creat, const char* path, unsigned mode) {
  return static_cast<int>(as_libc(open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode)));
}
IOMMUSIM_INTERPOSE(int, creat64, const char* path, unsigned mode) {
  return static_cast<int>(as_libc(open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode)));
}
