// SPDX-License-Identifier: Apache-2.0
// /proc/self/status shows pinned and locked memory as Linux does, however it is opened; the limit of locked memory holds
// for a process without CAP_IPC_LOCK.
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "check.h"

static void drop_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0}};
  CHECK(syscall(SYS_capset, &header, none) == 0);
}

static long by_open(const char* path, const char* name) {
  char text[4096] = {0};
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
  close(fd);
  return strtol(strstr(text, name) + strlen(name), NULL, 10);
}

int main(void) {
  long pinned = status_kb("VmPin:");
  int fd = open_iommu();
  uint32_t ioas = new_ioas(fd), hwpt, device;
  mock_device(fd, ioas, &hwpt, &device);
  drop_capabilities();
  struct rlimit limit = {8 * 4096, 8 * 4096};
  CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  char* p = pages(16, MAP_PRIVATE);
  uint64_t iova, second;
  CHECK(map_pages(fd, ioas, p, 6 * 4096, kReadable | kWriteable, &iova) == 0);
  CHECK(status_kb("VmPin:") == pinned + 24);
  CHECK(status_kb("VmLck:") == 0);  // the user pays, not the address space
  CHECK_ERRNO(ENOMEM, map_pages(fd, ioas, p + 6 * 4096, 3 * 4096, kReadable | kWriteable, &second));
  CHECK(status_kb("VmPin:") == pinned + 24);
  CHECK(map_pages(fd, ioas, p + 6 * 4096, 2 * 4096, kReadable | kWriteable, &second) == 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", getpid());
  CHECK(by_open(path, "VmPin:") == pinned + 32);
  CHECK(by_open("/proc/thread-self/status", "VmPin:") == pinned + 32);
  CHECK(unmap_pages(fd, ioas, iova, 6 * 4096) == 0);
  CHECK(status_kb("VmPin:") == pinned + 8);
  close(fd);
  CHECK(status_kb("VmPin:") == pinned);

  // Through the VFIO node the address space pays.
  fd = open("/dev/vfio/vfio", O_RDWR);
  CHECK(fd >= 0);
  ioas = new_ioas(fd);
  mock_device(fd, ioas, &hwpt, &device);
  CHECK(map_pages(fd, ioas, p, 3 * 4096, kReadable, &iova) == 0);
  CHECK(status_kb("VmPin:") == pinned + 12 && status_kb("VmLck:") == 12);
  CHECK_ERRNO(ENOMEM, map_pages(fd, ioas, p, 6 * 4096, kReadable, &second));
  close(fd);
  CHECK(status_kb("VmLck:") == 0);
  return 0;
}
