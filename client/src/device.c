/* SPDX-License-Identifier: Apache-2.0
 * A VFIO character device: binding, attaching, registers, interrupts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
  kGetRegionInfo = 0x3B6C,
  kGetIrqInfo = 0x3B6D,
  kSetIrqs = 0x3B6E,
  kReset = 0x3B6F,
  kBind = 0x3B76,
  kAttach = 0x3B77,
  kDetach = 0x3B78,
};
enum { kDataNone = 1, kDataEventfd = 4, kUnmask = 16, kTrigger = 32 };
enum { kRegionMmap = 4, kPage = 4096 };

struct bar {
  uint64_t bytes, position;
  volatile unsigned char* mapped; /* NULL: by pread and pwrite */
};

struct ioc_device {
  const struct ioc_system* system;
  int fd;
  uint32_t id;
  struct bar bars[kBars];
};

static int call(const struct ioc_device* device, unsigned long command, void* argument) {
  return device->system->ioctl(device->system->self, device->fd, command, argument);
}

static size_t mapped_bytes(const struct bar* bar) { return (size_t)((bar->bytes + kPage - 1) / kPage * kPage); }

static void look_at_bar(struct ioc_device* device, uint32_t index) {
  struct {
    uint32_t argsz, flags, index, cap_offset;
    uint64_t size, offset;
  } info = {sizeof info, 0, index, 0, 0, 0};
  struct bar* const bar = &device->bars[index];
  if (call(device, kGetRegionInfo, &info) || info.size == 0) return;
  bar->bytes = info.size;
  bar->position = info.offset;
  void* at = NULL;
  if ((info.flags & kRegionMmap) &&
      device->system->map(device->system->self, device->fd, bar->position, mapped_bytes(bar), &at) == 0)
    bar->mapped = at;
}

int ioc_device_open(struct ioc_context* ioc, const char* path, struct ioc_device** out) {
  struct ioc_device* const device = calloc(1, sizeof *device);
  if (!device) return -ENOMEM;
  device->system = ioc->system;
  device->fd = device->system->open(device->system->self, path);
  int error = device->fd < 0 ? device->fd : 0;
  if (!error) {
    struct {
      uint32_t argsz, flags;
      int32_t iommufd;
      uint32_t out_id;
    } argument = {sizeof argument, 0, ioc->fd, 0};
    error = call(device, kBind, &argument);
    device->id = argument.out_id;
    if (error) device->system->close(device->system->self, device->fd);
  }
  if (error) {
    free(device);
    return error;
  }
  for (uint32_t bar = 0; bar < kBars; ++bar) look_at_bar(device, bar);
  *out = device;
  return 0;
}

void ioc_device_close(struct ioc_device* device) {
  if (!device) return;
  for (unsigned i = 0; i < kBars; ++i)
    if (device->bars[i].mapped)
      device->system->unmap(device->system->self, (void*)(uintptr_t)device->bars[i].mapped,
                            mapped_bytes(&device->bars[i]));
  device->system->close(device->system->self, device->fd);
  free(device);
}

uint32_t ioc_device_id(const struct ioc_device* device) { return device->id; }
int ioc_device_fd(const struct ioc_device* device) { return device->fd; }
int ioc_reset(struct ioc_device* device) { return call(device, kReset, NULL); }

int ioc_attach(struct ioc_device* device, uint32_t pt, uint32_t* hwpt) {
  uint32_t argument[3] = {sizeof argument, 0, pt};
  const int error = call(device, kAttach, argument);
  if (!error && hwpt) *hwpt = argument[2];
  return error;
}

int ioc_attach_pasid(struct ioc_device* device, uint32_t pasid, uint32_t pt) {
  uint32_t argument[4] = {sizeof argument, 1, pt, pasid};
  return call(device, kAttach, argument);
}

int ioc_detach(struct ioc_device* device) {
  uint32_t argument[2] = {sizeof argument, 0};
  return call(device, kDetach, argument);
}

int ioc_detach_pasid(struct ioc_device* device, uint32_t pasid) {
  uint32_t argument[3] = {sizeof argument, 1, pasid};
  return call(device, kDetach, argument);
}

int ioc_config_read(struct ioc_device* device, uint32_t offset, void* to, size_t bytes) {
  const uint64_t at = ((uint64_t)kConfigRegion << kRegionShift) + offset;
  const ssize_t done = device->system->pread(device->system->self, device->fd, to, bytes, at);
  return done < 0 ? (int)done : (size_t)done == bytes ? 0 : -EIO;
}

int ioc_config_write(struct ioc_device* device, uint32_t offset, const void* from, size_t bytes) {
  const uint64_t at = ((uint64_t)kConfigRegion << kRegionShift) + offset;
  const ssize_t done = device->system->pwrite(device->system->self, device->fd, from, bytes, at);
  return done < 0 ? (int)done : (size_t)done == bytes ? 0 : -EIO;
}

int ioc_bus_master(struct ioc_device* device, bool on) {
  enum { kCommand = 4, kMemory = 2, kMaster = 4 };
  uint16_t command = 0;
  const int error = ioc_config_read(device, kCommand, &command, sizeof command);
  if (error) return error;
  command = (uint16_t)((on ? command | kMaster : command & ~kMaster) | kMemory);
  return ioc_config_write(device, kCommand, &command, sizeof command);
}

uint64_t ioc_bar_bytes(const struct ioc_device* device, unsigned bar) {
  return bar < kBars ? device->bars[bar].bytes : 0;
}

static bool inside(const struct ioc_device* device, unsigned bar, uint64_t offset, unsigned bytes) {
  const uint64_t size = ioc_bar_bytes(device, bar);
  return size >= bytes && offset <= size - bytes;
}

static void load(struct ioc_device* device, unsigned bar, uint64_t offset, void* to, unsigned bytes) {
  memset(to, 0xFF, bytes);
  if (!inside(device, bar, offset, bytes)) return;
  const uint64_t at = device->bars[bar].position + offset;
  (void)device->system->pread(device->system->self, device->fd, to, bytes, at);
}

static void store(struct ioc_device* device, unsigned bar, uint64_t offset, const void* from, unsigned bytes) {
  if (!inside(device, bar, offset, bytes)) return;
  const uint64_t at = device->bars[bar].position + offset;
  (void)device->system->pwrite(device->system->self, device->fd, from, bytes, at);
}

static volatile void* mapping(struct ioc_device* device, unsigned bar, uint64_t offset, unsigned bytes) {
  const bool there = inside(device, bar, offset, bytes) && device->bars[bar].mapped;
  return there ? device->bars[bar].mapped + offset : NULL;
}

uint32_t ioc_read32(struct ioc_device* device, unsigned bar, uint64_t offset) {
  volatile uint32_t* const at = mapping(device, bar, offset, 4);
  if (at) return *at;
  uint32_t value = 0;
  load(device, bar, offset, &value, sizeof value);
  return value;
}

uint64_t ioc_read64(struct ioc_device* device, unsigned bar, uint64_t offset) {
  volatile uint64_t* const at = mapping(device, bar, offset, 8);
  if (at) return *at;
  uint64_t value = 0;
  load(device, bar, offset, &value, sizeof value);
  return value;
}

void ioc_write32(struct ioc_device* device, unsigned bar, uint64_t offset, uint32_t value) {
  volatile uint32_t* const at = mapping(device, bar, offset, 4);
  if (at)
    *at = value;
  else
    store(device, bar, offset, &value, sizeof value);
}

void ioc_write64(struct ioc_device* device, unsigned bar, uint64_t offset, uint64_t value) {
  volatile uint64_t* const at = mapping(device, bar, offset, 8);
  if (at)
    *at = value;
  else
    store(device, bar, offset, &value, sizeof value);
}

int ioc_irq_count(struct ioc_device* device, unsigned kind) {
  uint32_t info[4] = {sizeof info, 0, kind, 0};
  const int error = call(device, kGetIrqInfo, info);
  return error ? error : (int)info[3];
}

int ioc_irq_enable(struct ioc_device* device, unsigned kind, const int32_t* eventfds, unsigned count) {
  const size_t bytes = 20 + (size_t)count * 4;
  uint32_t* const argument = calloc(1, bytes);
  if (!argument) return -ENOMEM;
  argument[0] = (uint32_t)bytes;
  argument[1] = kDataEventfd | kTrigger;
  argument[2] = kind;
  argument[4] = count;
  memcpy(argument + 5, eventfds, (size_t)count * 4);
  const int error = call(device, kSetIrqs, argument);
  free(argument);
  return error;
}

int ioc_irq_disable(struct ioc_device* device, unsigned kind) {
  uint32_t argument[5] = {sizeof argument, kDataNone | kTrigger, kind, 0, 0};
  return call(device, kSetIrqs, argument);
}

int ioc_irq_unmask_intx(struct ioc_device* device) {
  uint32_t argument[5] = {sizeof argument, kDataNone | kUnmask, IOC_INTX, 0, 1};
  return call(device, kSetIrqs, argument);
}
