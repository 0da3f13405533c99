// SPDX-License-Identifier: Apache-2.0
// A device of /dev/vfio/devices for the plain C programs of this folder: found by its numbers, bound, attached, its BAR
// mapped, its interrupts as eventfds. Constants from uapi.md.
#pragma once

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "check.h"

enum { kBind = 0x3B76, kAttach = 0x3B77, kDetach = 0x3B78, kRegionInfo = 0x3B6C, kSetIrqs = 0x3B6E, kReset = 0x3B6F };
enum { kMsi = 1, kMsix = 2 };

struct bind {
  uint32_t argsz, flags;
  int32_t iommufd;
  uint32_t id;
};
struct attach {
  uint32_t argsz, flags, pt;
};
struct region_info {
  uint32_t argsz, flags, index, cap_offset;
  uint64_t size, offset;
};

// /dev/vfio/devices/vfioN of the function with these numbers.
static inline int open_device(const char* vendor, const char* device) {
  char path[600], text[16];
  DIR* all = opendir("/sys/bus/pci/devices");
  CHECK(all != NULL);
  for (struct dirent* e; (e = readdir(all)) != NULL;) {
    const char* const wanted[] = {vendor, device};
    const char* const files[] = {"vendor", "device"};
    int same = e->d_name[0] != '.';
    for (int i = 0; i < 2 && same; ++i) {
      snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/%s", e->d_name, files[i]);
      FILE* f = fopen(path, "r");
      same = f != NULL && fgets(text, sizeof text, f) != NULL && strncmp(text, wanted[i], 6) == 0;
      if (f) fclose(f);
    }
    if (!same) continue;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/vfio-dev", e->d_name);
    DIR* nodes = opendir(path);
    CHECK(nodes != NULL);
    for (struct dirent* n; (n = readdir(nodes)) != NULL;) {
      if (strncmp(n->d_name, "vfio", 4) != 0) continue;
      snprintf(path, sizeof path, "/dev/vfio/devices/%.200s", n->d_name);
      closedir(nodes);
      closedir(all);
      int fd = open(path, O_RDWR | O_CLOEXEC);
      CHECK(fd >= 0);
      return fd;
    }
  }
  CHECK(!"there is no such device");
  return -1;
}
static inline uint32_t bind_device(int device, int iommu) {
  struct bind b = {.argsz = sizeof b, .iommufd = iommu};
  CHECK(ioctl(device, kBind, &b) == 0);
  return b.id;
}
static inline void attach_device(int device, uint32_t pt) {
  struct attach a = {.argsz = sizeof a, .pt = pt};
  CHECK(ioctl(device, kAttach, &a) == 0);
}
// PCI command register: memory and bus mastering.
static inline void enable_device(int device) {
  struct region_info r = {.argsz = sizeof r, .index = 7};
  uint16_t command = 6;
  CHECK(ioctl(device, kRegionInfo, &r) == 0);
  CHECK(pwrite(device, &command, 2, (off_t)r.offset + 4) == 2);
}
static inline volatile void* map_bar(int device, uint32_t index, uint64_t* size) {
  struct region_info r = {.argsz = sizeof r, .index = index};
  CHECK(ioctl(device, kRegionInfo, &r) == 0);
  CHECK((r.flags & 7) == 7);
  volatile void* bar = mmap(NULL, r.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)r.offset);
  CHECK(bar != MAP_FAILED);
  *size = r.size;
  return bar;
}
static inline int interrupt(int device, uint32_t index, uint32_t vector) {
  struct {
    uint32_t argsz, flags, index, start, count;
    int32_t fd;
  } s = {24, 4 | 32, index, vector, 1, eventfd(0, EFD_CLOEXEC)};
  CHECK(s.fd >= 0);
  CHECK(ioctl(device, kSetIrqs, &s) == 0);
  return s.fd;
}
static inline uint64_t wait_interrupt(int event) {
  struct pollfd p = {.fd = event, .events = POLLIN};
  uint64_t count = 0;
  CHECK(poll(&p, 1, 20000) == 1);
  CHECK(read(event, &count, 8) == 8);
  return count;
}

// The PCI test device.
static inline void test_start(volatile void* bar, uint64_t iova, uint32_t command) {
  volatile uint32_t* r = bar;
  r[0] = (uint32_t)iova;
  r[1] = (uint32_t)(iova >> 32);
  r[2] = command | 1;
}
static inline uint32_t test_wait(volatile void* bar) {
  volatile uint32_t* r = bar;
  while (r[2] & 1) continue;
  return r[3];
}
