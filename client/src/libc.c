/* SPDX-License-Identifier: Apache-2.0
 * The real system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioc.h"

static int real_open(void* self, const char* path) {
  (void)self;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}
static int real_close(void* self, int fd) {
  (void)self;
  return close(fd) < 0 ? -errno : 0;
}
static int real_ioctl(void* self, int fd, unsigned long command, void* argument) {
  (void)self;
  const int result = ioctl(fd, command, argument);
  return result < 0 ? -errno : result;
}
static ssize_t real_read(void* self, int fd, void* to, size_t bytes) {
  (void)self;
  const ssize_t done = read(fd, to, bytes);
  return done < 0 ? -errno : done;
}
static ssize_t real_write(void* self, int fd, const void* from, size_t bytes) {
  (void)self;
  const ssize_t done = write(fd, from, bytes);
  return done < 0 ? -errno : done;
}
static ssize_t real_pread(void* self, int fd, void* to, size_t bytes, uint64_t position) {
  (void)self;
  const ssize_t done = pread(fd, to, bytes, (off_t)position);
  return done < 0 ? -errno : done;
}
static ssize_t real_pwrite(void* self, int fd, const void* from, size_t bytes, uint64_t position) {
  (void)self;
  const ssize_t done = pwrite(fd, from, bytes, (off_t)position);
  return done < 0 ? -errno : done;
}
static int real_map(void* self, int fd, uint64_t position, size_t bytes, void** out) {
  (void)self;
  *out = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)position);
  return *out == MAP_FAILED ? -errno : 0;
}
static int real_unmap(void* self, void* at, size_t bytes) {
  (void)self;
  return munmap(at, bytes) < 0 ? -errno : 0;
}
static int real_eventfd(void* self) {
  (void)self;
  const int fd = eventfd(0, EFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

const struct ioc_system* ioc_libc(void) {
  static const struct ioc_system system = {NULL,       real_open,   real_close, real_ioctl, real_read,   real_write,
                                           real_pread, real_pwrite, real_map,   real_unmap, real_eventfd};
  return &system;
}
