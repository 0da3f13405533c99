// SPDX-License-Identifier: Apache-2.0
// Asking about files: paths into the tree, and placeholders of device nodes, which are character devices to the
// program.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "preload/interpose/interpose.h"

namespace iommusim::preload {
namespace {

constexpr unsigned kNodeMode = S_IFCHR | 0666;

void dress(struct stat& status) {
  if (const Node* const node = Runtime::get().tree().find_node(status)) {
    status.st_mode = kNodeMode;
    status.st_rdev = node->device_number;
    status.st_size = 0;
    status.st_blocks = 0;
  }
}

int stat_any(int directory, const char* path, struct stat* out, int flags) {
  const Redirected to(path);
  const long error = sys::call(SYS_newfstatat, directory, to.get(), out, flags);
  if (error == 0) dress(*out);
  return static_cast<int>(as_libc(error));
}

int fstat_any(int fd, struct stat* out) {
  const long error = sys::call(SYS_fstat, fd, out);
  if (error == 0) dress(*out);
  return static_cast<int>(as_libc(error));
}

int access_any(int directory, const char* path, int mode, int flags) {
  const Redirected to(path);
  return static_cast<int>(as_libc(flags ? sys::call(SYS_faccessat2, directory, to.get(), mode, flags)
                                        : sys::call(SYS_faccessat, directory, to.get(), mode)));
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

#define IOMMUSIM_STAT(name, flags) \
  IOMMUSIM_INTERPOSE(int, name, const char* path, struct stat* out) { return stat_any(AT_FDCWD, path, out, flags); }
IOMMUSIM_STAT(stat, 0)
IOMMUSIM_STAT(stat64, 0)
IOMMUSIM_STAT(lstat, AT_SYMLINK_NOFOLLOW)
IOMMUSIM_STAT(lstat64, AT_SYMLINK_NOFOLLOW)

#define IOMMUSIM_OLD_STAT(name, flags)                                     \
  IOMMUSIM_INTERPOSE(int, name, int, const char* path, struct stat* out) { \
    return stat_any(AT_FDCWD, path, out, flags);                           \
  }
IOMMUSIM_OLD_STAT(__xstat, 0)
IOMMUSIM_OLD_STAT(__xstat64, 0)
IOMMUSIM_OLD_STAT(__lxstat, AT_SYMLINK_NOFOLLOW)
IOMMUSIM_OLD_STAT(__lxstat64, AT_SYMLINK_NOFOLLOW)

IOMMUSIM_INTERPOSE(int, fstat, int fd, struct stat* out) { return fstat_any(fd, out); }
IOMMUSIM_INTERPOSE(int, fstat64, int fd, struct stat* out) { return fstat_any(fd, out); }
IOMMUSIM_INTERPOSE(int, __fxstat, int, int fd, struct stat* out) { return fstat_any(fd, out); }
IOMMUSIM_INTERPOSE(int, __fxstat64, int, int fd, struct stat* out) { return fstat_any(fd, out); }

IOMMUSIM_INTERPOSE(int, fstatat, int directory, const char* path, struct stat* out, int flags) {
  return stat_any(directory, path, out, flags);
}
IOMMUSIM_INTERPOSE(int, fstatat64, int directory, const char* path, struct stat* out, int flags) {
  return stat_any(directory, path, out, flags);
}
IOMMUSIM_INTERPOSE(int, __fxstatat, int, int directory, const char* path, struct stat* out, int flags) {
  return stat_any(directory, path, out, flags);
}
IOMMUSIM_INTERPOSE(int, __fxstatat64, int, int directory, const char* path, struct stat* out, int flags) {
  return stat_any(directory, path, out, flags);
}

IOMMUSIM_INTERPOSE(int, statx, int directory, const char* path, int flags, unsigned mask, struct statx* out) {
  const Redirected to(path);
  const long error = sys::call(SYS_statx, directory, to.get(), flags, mask, out);
  const Node* node = nullptr;
  if (error == 0) node = Runtime::get().tree().find_node(makedev(out->stx_dev_major, out->stx_dev_minor), out->stx_ino);
  if (node) {
    out->stx_mode = kNodeMode;
    out->stx_rdev_major = major(node->device_number);
    out->stx_rdev_minor = minor(node->device_number);
    out->stx_size = 0;
    out->stx_blocks = 0;
  }
  return static_cast<int>(as_libc(error));
}

IOMMUSIM_INTERPOSE(int, access, const char* path, int mode) { return access_any(AT_FDCWD, path, mode, 0); }
IOMMUSIM_INTERPOSE(int, eaccess, const char* path, int mode) { return access_any(AT_FDCWD, path, mode, AT_EACCESS); }
IOMMUSIM_INTERPOSE(int, euidaccess, const char* path, int mode) { return access_any(AT_FDCWD, path, mode, AT_EACCESS); }
IOMMUSIM_INTERPOSE(int, faccessat, int directory, const char* path, int mode, int flags) {
  return access_any(directory, path, mode, flags);
}
