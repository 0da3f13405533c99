// SPDX-License-Identifier: Apache-2.0
// Descriptors: closing, duplicating, and the calls on them.
#include <sys/uio.h>

#include <cstdarg>

#include "preload/hidden_fds.h"
#include "preload/interpose/interpose.h"

namespace iommusim::preload {
namespace {

std::shared_ptr<OpenFile> ours(int fd) {
  Runtime& runtime = Runtime::get();
  return runtime.descriptors().may_be_ours(fd) ? runtime.descriptors().get(fd) : nullptr;
}

int close_any(int fd) {
  if (is_hidden_fd(fd)) return -EBADF;
  const auto last = Runtime::get().descriptors().remove(fd);  // released after the number is free
  return sys::close(fd);
}

int duplicated(int from, long to) {
  if (to >= 0) Runtime::get().descriptors().duplicated(from, static_cast<int>(to));
  return static_cast<int>(as_libc(to));
}

// close_range() around the library's own.
int close_range_any(unsigned first, unsigned last, int flags) {
  constexpr int kUnshare = 2, kCloexec = 4;
  if (first > last) return -EINVAL;
  if (!(flags & ~kUnshare))
    for (const auto& [fd, file] : Runtime::get().descriptors().all())
      if (static_cast<unsigned>(fd) >= first && static_cast<unsigned>(fd) <= last)
        Runtime::get().descriptors().remove(fd);
  for (unsigned at = first;;) {
    const int hidden = flags & kCloexec ? -1 : next_hidden_fd(at, last);
    const unsigned end = hidden < 0 ? last : static_cast<unsigned>(hidden) - 1;
    if (hidden < 0 || at < static_cast<unsigned>(hidden)) {
      const long error = sys::call(SYS_close_range, at, end, flags);
      if (error != 0) return static_cast<int>(error);
    }
    if (hidden < 0 || static_cast<unsigned>(hidden) == last) return 0;
    at = static_cast<unsigned>(hidden) + 1;
  }
}

template <class Call>
std::int64_t each_part(const iovec* parts, int count, Call call) {
  if (count < 0 || count > 1024) return -EINVAL;
  std::int64_t done = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t got = call(reinterpret_cast<std::uint64_t>(parts[i].iov_base), parts[i].iov_len);
    if (got < 0) return done ? done : got;
    done += got;
    if (static_cast<std::uint64_t>(got) < parts[i].iov_len) break;
  }
  return done;
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

IOMMUSIM_INTERPOSE(int, close, int fd) { return static_cast<int>(as_libc(close_any(fd))); }
IOMMUSIM_INTERPOSE(int, close_range, unsigned first, unsigned last, int flags) {
  return static_cast<int>(as_libc(close_range_any(first, last, flags)));
}
IOMMUSIM_INTERPOSE(void, closefrom, int first) {
  close_range_any(static_cast<unsigned>(first < 0 ? 0 : first), ~0U, 0);
}
IOMMUSIM_INTERPOSE(int, dup, int fd) {
  if (is_hidden_fd(fd)) return static_cast<int>(as_libc(-EBADF));
  return duplicated(fd, sys::call(SYS_dup, fd));
}
IOMMUSIM_INTERPOSE(int, dup2, int from, int to) {
  if (is_hidden_fd(from) || is_hidden_fd(to)) return static_cast<int>(as_libc(-EBADF));
  return duplicated(from, sys::call(SYS_dup2, from, to));
}
IOMMUSIM_INTERPOSE(int, dup3, int from, int to, int flags) {
  if (is_hidden_fd(from) || is_hidden_fd(to)) return static_cast<int>(as_libc(-EBADF));
  return duplicated(from, sys::call(SYS_dup3, from, to, flags));
}

#define IOMMUSIM_FCNTL(name)                                                                              \
  IOMMUSIM_INTERPOSE(int, name, int fd, int command, ...) {                                               \
    va_list arguments;                                                                                    \
    va_start(arguments, command);                                                                         \
    void* const argument = va_arg(arguments, void*);                                                      \
    va_end(arguments);                                                                                    \
    if (is_hidden_fd(fd)) return static_cast<int>(as_libc(-EBADF));                                       \
    const int result = IOMMUSIM_NEXT(name)(fd, command, argument);                                        \
    if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) return duplicated(fd, result); \
    return result;                                                                                        \
  }
IOMMUSIM_FCNTL(fcntl)
IOMMUSIM_FCNTL(fcntl64)

IOMMUSIM_INTERPOSE(int, ioctl, int fd, unsigned long command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (const auto open = ours(fd)) {
    const auto result =
        Runtime::get().ioctl(*open, static_cast<std::uint32_t>(command), reinterpret_cast<std::uint64_t>(argument));
    return static_cast<int>(as_libc(result));
  }
  return static_cast<int>(as_libc(sys::call(SYS_ioctl, fd, command, argument)));
}

IOMMUSIM_INTERPOSE(long, read, int fd, void* to, std::size_t bytes) {
  if (const auto open = ours(fd))
    return as_libc(Runtime::get().read(*open, reinterpret_cast<std::uint64_t>(to), bytes, nullptr));
  return IOMMUSIM_NEXT(read)(fd, to, bytes);
}
IOMMUSIM_INTERPOSE(long, __read_chk, int fd, void* to, std::size_t bytes, std::size_t room) {
  if (bytes <= room)
    if (const auto open = ours(fd))
      return as_libc(Runtime::get().read(*open, reinterpret_cast<std::uint64_t>(to), bytes, nullptr));
  return IOMMUSIM_NEXT(__read_chk)(fd, to, bytes, room);
}
IOMMUSIM_INTERPOSE(long, write, int fd, const void* from, std::size_t bytes) {
  if (const auto open = ours(fd))
    return as_libc(Runtime::get().write(*open, reinterpret_cast<std::uint64_t>(from), bytes, nullptr));
  return IOMMUSIM_NEXT(write)(fd, from, bytes);
}

#define IOMMUSIM_POSITIONED(name, method, Pointer)                                                     \
  IOMMUSIM_INTERPOSE(long, name, int fd, Pointer data, std::size_t bytes, off_t position) {            \
    if (const auto open = ours(fd)) {                                                                  \
      if (position < 0) return as_libc(-EINVAL);                                                       \
      const auto at = static_cast<std::uint64_t>(position);                                            \
      return as_libc(Runtime::get().method(*open, reinterpret_cast<std::uint64_t>(data), bytes, &at)); \
    }                                                                                                  \
    return IOMMUSIM_NEXT(name)(fd, data, bytes, position);                                             \
  }
IOMMUSIM_POSITIONED(pread, read, void*)
IOMMUSIM_POSITIONED(pread64, read, void*)
IOMMUSIM_POSITIONED(pwrite, write, const void*)
IOMMUSIM_POSITIONED(pwrite64, write, const void*)

IOMMUSIM_INTERPOSE(long, readv, int fd, const iovec* parts, int count) {
  if (const auto open = ours(fd))
    return as_libc(each_part(parts, count, [&](std::uint64_t va, std::uint64_t bytes) {
      return Runtime::get().read(*open, va, bytes, nullptr);
    }));
  return IOMMUSIM_NEXT(readv)(fd, parts, count);
}
IOMMUSIM_INTERPOSE(long, writev, int fd, const iovec* parts, int count) {
  if (const auto open = ours(fd))
    return as_libc(each_part(parts, count, [&](std::uint64_t va, std::uint64_t bytes) {
      return Runtime::get().write(*open, va, bytes, nullptr);
    }));
  return IOMMUSIM_NEXT(writev)(fd, parts, count);
}

// None of the files can seek.
#define IOMMUSIM_SEEK(name)                                           \
  IOMMUSIM_INTERPOSE(off_t, name, int fd, off_t offset, int whence) { \
    if (ours(fd)) return as_libc(-ESPIPE);                            \
    return IOMMUSIM_NEXT(name)(fd, offset, whence);                   \
  }
IOMMUSIM_SEEK(lseek)
IOMMUSIM_SEEK(lseek64)
