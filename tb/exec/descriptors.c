// SPDX-License-Identifier: Apache-2.0
// Descriptors tell the truth: duplicates, closing, ranges, links of /proc, poll, kinds of files.
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "check.h"

static int descriptors_in_proc(int fd) {
  int found = 0;
  DIR* d = opendir("/proc/self/fd");
  for (struct dirent* e; (e = readdir(d));) found |= atoi(e->d_name) == fd && e->d_name[0] != '.';
  closedir(d);
  return found;
}

static void nodes(void) {
  struct stat by_path, by_fd;
  struct statx x;
  int fd = open_iommu();
  CHECK(stat("/dev/iommu", &by_path) == 0 && S_ISCHR(by_path.st_mode));
  CHECK(fstat(fd, &by_fd) == 0 && S_ISCHR(by_fd.st_mode) && by_fd.st_rdev == by_path.st_rdev);
  CHECK(major(by_fd.st_rdev) == 10);
  CHECK(statx(AT_FDCWD, "/dev/iommu", 0, STATX_ALL, &x) == 0 && S_ISCHR(x.stx_mode));
  CHECK(access("/dev/iommu", R_OK | W_OK) == 0);
  char path[64], target[64] = {0};
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK(readlink(path, target, sizeof target - 1) > 0 && strcmp(target, "/dev/iommu") == 0);
  CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
  CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
  CHECK(descriptors_in_proc(fd));
  char byte;
  CHECK_ERRNO(EINVAL, read(fd, &byte, 1));
  CHECK_ERRNO(EINVAL, write(fd, &byte, 1));
  CHECK_ERRNO(ESPIPE, lseek(fd, 0, SEEK_SET));
  CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096) == MAP_FAILED && errno == ENXIO);
  int directory = open("/dev", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  CHECK(close(fd) == 0);
  CHECK_ERRNO(EBADF, close(fd));
  CHECK_ERRNO(ENOENT, open("/dev/vfio/devices/vfio200", O_RDWR));
  close(directory);
}

static void duplicates(void) {
  int fd = open_iommu();
  uint32_t ioas = new_ioas(fd);
  int copies[4] = {dup(fd), fcntl(fd, F_DUPFD, 100), fcntl(fd, F_DUPFD_CLOEXEC, 200), dup2(fd, 300)};
  CHECK(copies[1] >= 100 && copies[2] >= 200 && copies[3] == 300);
  CHECK(fcntl(copies[2], F_GETFD) == FD_CLOEXEC && fcntl(copies[0], F_GETFD) == 0);
  CHECK(close(fd) == 0);
  for (int i = 0; i < 4; ++i) {
    struct destroy d = {.size = sizeof d, .id = ioas};
    CHECK(ioctl(copies[i], kDestroy, &d) == 0);  // the same context behind each
    ioas = new_ioas(copies[i]);
    CHECK(ioas == 1);
    if (i < 3) CHECK(close(copies[i]) == 0);
  }
  int other = open("/dev/null", O_RDWR);
  CHECK(dup2(other, 300) == 300);  // ends the context
  struct ioas_alloc a = {.size = sizeof a};
  CHECK_ERRNO(ENOTTY, ioctl(300, kIoasAlloc, &a));
  close(300);
  close(other);
}

static void ranges(void) {
  int a = open_iommu(), b = open_iommu();
  uint32_t ioas = new_ioas(a), hwpt, device;
  mock_device(a, ioas, &hwpt, &device);
  CHECK(close_range((unsigned)b, (unsigned)b, 0) == 0);
  struct ioas_alloc alloc = {.size = sizeof alloc};
  CHECK_ERRNO(EBADF, ioctl(b, kIoasAlloc, &alloc));
  CHECK(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
  CHECK(fcntl(a, F_GETFD) == FD_CLOEXEC);
  CHECK(close_range(3, ~0U, 0) == 0);  // ours are gone, those of the library are not
  CHECK_ERRNO(EBADF, ioctl(a, kIoasAlloc, &alloc));
  for (int fd = 3; fd < 20000; ++fd) close(fd);
  a = open_iommu();
  CHECK(a == 3);
  ioas = new_ioas(a);
  mock_device(a, ioas, &hwpt, &device);
  char* p = pages(1, MAP_PRIVATE);
  uint64_t iova;
  p[0] = 'x';
  CHECK(map_pages(a, ioas, p, 4096, kReadable | kWriteable, &iova) == 0);
  CHECK(check_map(a, hwpt, iova, p, 4096) == 0 && p[0] == 'x');
  close(a);
}

static void events(void) {
  int fd = open_iommu();
  struct fault_alloc f = {.size = sizeof f};
  CHECK(ioctl(fd, kFaultAlloc, &f) == 0);
  int queue = (int)f.fd;
  CHECK(fcntl(queue, F_GETFD) == FD_CLOEXEC);
  CHECK((fcntl(queue, F_GETFL) & O_ACCMODE) == O_RDWR);
  struct pollfd p = {.fd = queue, .events = POLLIN | POLLOUT};
  CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
  char record[80];
  CHECK(read(queue, record, 40) == 0);  // empty: 0, and never a wait
  CHECK_ERRNO(ESPIPE, read(queue, record, 41));
  CHECK_ERRNO(ESPIPE, pread(queue, record, 40, 40));
  CHECK_ERRNO(ESPIPE, lseek(queue, 0, SEEK_CUR));
  struct iovec parts[2] = {{record, 40}, {record + 40, 40}};
  CHECK(readv(queue, parts, 2) == 0);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event) == 0);
  CHECK_ERRNO(EPERM, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
  CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
  struct destroy d = {.size = sizeof d, .id = f.id};
  CHECK_ERRNO(EBUSY, ioctl(fd, kDestroy, &d));  // while its descriptor is open
  int copy = dup(queue);
  close(queue);
  CHECK_ERRNO(EBUSY, ioctl(fd, kDestroy, &d));
  close(copy);
  CHECK(ioctl(fd, kDestroy, &d) == 0);
  close(epoll);
  close(fd);
}

static void bad_pointers(void) {
  int fd = open_iommu();
  char* p = pages(2, MAP_PRIVATE);
  CHECK(munmap(p + 4096, 4096) == 0);
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, NULL));
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, (void*)0xFFFF800000000000));
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, (void*)0x8000000000000000));
  struct ioas_alloc* across = (struct ioas_alloc*)(p + 4096 - 8);
  across->size = 12;
  across->flags = 0;
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, across));
  CHECK(mprotect(p, 4096, PROT_READ) == 0);
  struct ioas_alloc* constant = (struct ioas_alloc*)p;
  CHECK_ERRNO(EINVAL, ioctl(fd, kIoasAlloc, constant));  // size 0
  CHECK(mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0);
  constant->size = 12;
  CHECK(mprotect(p, 4096, PROT_READ) == 0);
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, constant));  // the reply cannot be written
  CHECK(new_ioas(fd) == 1);                              // and nothing was left behind
  close(fd);
}

int main(void) {
  nodes();
  duplicates();
  ranges();
  events();
  bad_pointers();
  return 0;
}
