// SPDX-License-Identifier: Apache-2.0
// System calls for the library's own use, past its interposed functions and without errno: results as the kernel gives
// them, errors negative. Hidden descriptors, which the program must not trip over, are moved to high numbers.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace iommusim::preload::sys {

template <class... Arguments>
long call(long number, Arguments... arguments) {
  const int saved = errno;
  long result = ::syscall(number, arguments...);
  if (result < 0) result = -errno;
  errno = saved;
  return result;
}

inline int open(const char* path, int flags, int mode = 0) {
  return static_cast<int>(call(SYS_openat, AT_FDCWD, path, flags, mode));
}
inline int close(int fd) { return static_cast<int>(call(SYS_close, fd)); }
inline long read(int fd, void* to, std::size_t bytes) { return call(SYS_read, fd, to, bytes); }
inline long write(int fd, const void* from, std::size_t bytes) { return call(SYS_write, fd, from, bytes); }

/// 0 or a negative errno.
inline long map(void* at, std::uint64_t bytes, int prot, int flags, int fd, std::uint64_t offset) {
  const long result = call(SYS_mmap, at, bytes, prot, flags, fd, offset);
  return result < 0 && result > -4096 ? result : 0;
}

}  // namespace iommusim::preload::sys
