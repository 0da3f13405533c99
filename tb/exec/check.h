// SPDX-License-Identifier: Apache-2.0
// What the plain C programs of this folder have in common: checks that say where they failed, and the few structures of
// the ABI (uapi.md) that they use. No header of the simulator.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition)                                                                                            \
  do {                                                                                                              \
    if (!(condition)) {                                                                                             \
      fprintf(stderr, "%s:%d: %s failed (errno %d: %s)\n", __FILE__, __LINE__, #condition, errno, strerror(errno)); \
      exit(1);                                                                                                      \
    }                                                                                                               \
  } while (0)
#define CHECK_ERRNO(expected, call) \
  do {                              \
    errno = 0;                      \
    CHECK((call) == -1);            \
    CHECK(errno == (expected));     \
  } while (0)

enum {
  kDestroy = 0x3B80,
  kIoasAlloc = 0x3B81,
  kIoasMap = 0x3B85,
  kIoasUnmap = 0x3B86,
  kFaultAlloc = 0x3B8E,
  kMapFile = 0x3B8F,
  kOption = 0x3B87,
  kTest = 0x3BA0
};
enum { kFixed = 1, kWriteable = 2, kReadable = 4 };

struct ioas_alloc {
  uint32_t size, flags, id;
};
struct ioas_map {
  uint32_t size, flags, ioas, reserved;
  uint64_t va, length, iova;
};
struct map_file {
  uint32_t size, flags, ioas;
  int32_t fd;
  uint64_t start, length, iova;
};
struct ioas_unmap {
  uint32_t size, ioas;
  uint64_t iova, length;
};
struct destroy {
  uint32_t size, id;
};
struct fault_alloc {
  uint32_t size, flags, id, fd;
};
struct test_command {
  uint32_t size, op, id, reserved;
  union {
    uint64_t u64[6];
    uint32_t u32[12];
  };
  uint32_t last, padding;
};

static inline int open_iommu(void) {
  int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}
static inline uint32_t new_ioas(int fd) {
  struct ioas_alloc a = {.size = sizeof a};
  CHECK(ioctl(fd, kIoasAlloc, &a) == 0);
  return a.id;
}
static inline int map_pages(int fd, uint32_t ioas, void* va, uint64_t length, uint32_t flags, uint64_t* iova) {
  struct ioas_map m = {.size = sizeof m, .flags = flags, .ioas = ioas, .va = (uintptr_t)va, .length = length};
  int result = ioctl(fd, kIoasMap, &m);
  *iova = m.iova;
  return result;
}
static inline int unmap_pages(int fd, uint32_t ioas, uint64_t iova, uint64_t length) {
  struct ioas_unmap u = {.size = sizeof u, .ioas = ioas, .iova = iova, .length = length};
  return ioctl(fd, kIoasUnmap, &u);
}
// A mock device attached to the address space, through the test command: its id and its device id.
static inline uint32_t mock_device(int fd, uint32_t ioas, uint32_t* hwpt, uint32_t* device) {
  struct test_command t = {.size = sizeof t, .op = 2, .id = ioas};
  CHECK(ioctl(fd, kTest, &t) == 0);
  *hwpt = t.u32[1];
  *device = t.u32[2];
  return t.u32[0];
}
// Memory of an access (a kernel user of the address space), which sees what a device would see.
static inline int new_access(int fd, uint32_t ioas) {
  struct test_command t = {.size = sizeof t, .op = 5, .id = ioas};
  t.u32[1] = 0;
  CHECK(ioctl(fd, kTest, &t) == 0);
  return (int)t.u32[0];
}
static inline int access_rw(int fd, int access, uint64_t iova, void* buffer, uint64_t length, uint32_t flags) {
  struct test_command t = {.size = sizeof t, .op = 8, .id = (uint32_t)access};
  t.u64[0] = iova;
  t.u64[1] = length;
  t.u64[2] = (uintptr_t)buffer;
  t.u32[6] = flags;
  return ioctl(fd, kTest, &t);
}
static inline int check_refs(int fd, void* va, uint64_t length, uint32_t refs) {
  struct test_command t = {.size = sizeof t, .op = 4};
  t.u64[0] = length;
  t.u64[1] = (uintptr_t)va;
  t.u32[4] = refs;
  return ioctl(fd, kTest, &t);
}
static inline int check_map(int fd, uint32_t hwpt, uint64_t iova, void* va, uint64_t length) {
  struct test_command t = {.size = sizeof t, .op = 3, .id = hwpt};
  t.u64[0] = iova;
  t.u64[1] = length;
  t.u64[2] = (uintptr_t)va;
  return ioctl(fd, kTest, &t);
}
static inline void* pages(size_t count, int flags) {
  void* p = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  CHECK(p != MAP_FAILED);
  return p;
}
static inline long status_kb(const char* name) {
  char line[256];
  long value = -1;
  FILE* f = fopen("/proc/self/status", "r");
  CHECK(f != NULL);
  while (fgets(line, sizeof line, f))
    if (strncmp(line, name, strlen(name)) == 0) value = strtol(line + strlen(name), NULL, 10);
  fclose(f);
  return value;
}
