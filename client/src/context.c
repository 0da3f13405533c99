/* SPDX-License-Identifier: Apache-2.0
 * /dev/iommu: address spaces, page tables, dirty pages, page faults.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
  kDestroy = 0x3B80,
  kIoasAlloc = 0x3B81,
  kIoasIovaRanges = 0x3B84,
  kIoasMap = 0x3B85,
  kIoasUnmap = 0x3B86,
  kHwptAlloc = 0x3B89,
  kGetHwInfo = 0x3B8A,
  kSetDirtyTracking = 0x3B8B,
  kGetDirtyBitmap = 0x3B8C,
  kFaultQueueAlloc = 0x3B8E,
};

_Static_assert(sizeof(struct ioc_fault) == 40, "the layout of a fault is the kernel's");

int ioc_open(const struct ioc_system* system, struct ioc_context** out) {
  struct ioc_context* const ioc = calloc(1, sizeof *ioc);
  if (!ioc) return -ENOMEM;
  ioc->system = system ? system : ioc_libc();
  ioc->fd = ioc->system->open(ioc->system->self, "/dev/iommu");
  if (ioc->fd < 0) {
    const int error = ioc->fd;
    free(ioc);
    return error;
  }
  *out = ioc;
  return 0;
}

void ioc_close(struct ioc_context* ioc) {
  if (!ioc) return;
  ioc->system->close(ioc->system->self, ioc->fd);
  free(ioc);
}

const struct ioc_system* ioc_system_of(const struct ioc_context* ioc) { return ioc->system; }
int ioc_fd(const struct ioc_context* ioc) { return ioc->fd; }

int ioc_destroy(struct ioc_context* ioc, uint32_t id) {
  struct {
    uint32_t size, id;
  } argument = {sizeof argument, id};
  return ioc_call(ioc, kDestroy, &argument);
}

int ioc_ioas_alloc(struct ioc_context* ioc, uint32_t* ioas) {
  struct {
    uint32_t size, flags, out_id;
  } argument = {sizeof argument, 0, 0};
  const int error = ioc_call(ioc, kIoasAlloc, &argument);
  if (!error) *ioas = argument.out_id;
  return error;
}

static int map(struct ioc_context* ioc, uint32_t ioas, void* memory, uint64_t bytes, uint32_t flags, uint64_t* iova) {
  struct {
    uint32_t size, flags, ioas, reserved;
    uint64_t memory, bytes, iova;
  } argument = {sizeof argument, flags, ioas, 0, ioc_address(memory), bytes, *iova};
  const int error = ioc_call(ioc, kIoasMap, &argument);
  if (!error) *iova = argument.iova;
  return error;
}

int ioc_map(struct ioc_context* ioc, uint32_t ioas, void* memory, uint64_t bytes, unsigned access, uint64_t* iova) {
  uint64_t at = 0;
  const int error = map(ioc, ioas, memory, bytes, access, &at);
  if (!error) *iova = at;
  return error;
}

int ioc_map_at(struct ioc_context* ioc, uint32_t ioas, void* memory, uint64_t bytes, unsigned access, uint64_t iova) {
  enum { kFixed = 1 };
  return map(ioc, ioas, memory, bytes, access | kFixed, &iova);
}

int ioc_unmap(struct ioc_context* ioc, uint32_t ioas, uint64_t iova, uint64_t bytes, uint64_t* removed) {
  struct {
    uint32_t size, ioas;
    uint64_t iova, bytes;
  } argument = {sizeof argument, ioas, iova, bytes};
  const int error = ioc_call(ioc, kIoasUnmap, &argument);
  if (!error && removed) *removed = argument.bytes;
  return error;
}

int ioc_iova_ranges(struct ioc_context* ioc, uint32_t ioas, struct ioc_range* ranges, uint32_t capacity,
                    uint64_t* alignment) {
  struct {
    uint32_t size, ioas, count, reserved;
    uint64_t ranges, alignment;
  } argument = {sizeof argument, ioas, capacity, 0, ioc_address(ranges), 0};
  const int error = ioc_call(ioc, kIoasIovaRanges, &argument);
  if (error && error != -EMSGSIZE) return error;  // too many: the number is told all the same
  if (alignment) *alignment = argument.alignment;
  return (int)argument.count;
}

int ioc_hwpt_alloc(struct ioc_context* ioc, uint32_t device, uint32_t ioas, unsigned flags, uint32_t fault,
                   uint32_t* hwpt) {
  enum { kFaultValid = 4 };
  struct {
    uint32_t size, flags, device, pt, out_id, reserved, data_type, data_bytes;
    uint64_t data;
    uint32_t fault, reserved2;
  } argument = {sizeof argument, flags | (fault ? kFaultValid : 0U), device, ioas, 0, 0, 0, 0, 0, fault, 0};
  const int error = ioc_call(ioc, kHwptAlloc, &argument);
  if (!error) *hwpt = argument.out_id;
  return error;
}

int ioc_capabilities(struct ioc_context* ioc, uint32_t device, uint64_t* capabilities) {
  struct {
    uint32_t size, flags, device, data_bytes;
    uint64_t data;
    uint32_t type;
    uint8_t pasid_width, reserved[3];
    uint64_t capabilities;
  } argument = {sizeof argument, 0, device, 0, 0, 0, 0, {0, 0, 0}, 0};
  const int error = ioc_call(ioc, kGetHwInfo, &argument);
  if (!error) *capabilities = argument.capabilities;
  return error;
}

int ioc_dirty_track(struct ioc_context* ioc, uint32_t hwpt, bool on) {
  struct {
    uint32_t size, flags, hwpt, reserved;
  } argument = {sizeof argument, on ? 1 : 0, hwpt, 0};
  return ioc_call(ioc, kSetDirtyTracking, &argument);
}

int ioc_dirty_read(struct ioc_context* ioc, uint32_t hwpt, uint64_t iova, uint64_t bytes, uint64_t page_size,
                   uint64_t* bitmap, unsigned flags) {
  struct {
    uint32_t size, hwpt, flags, reserved;
    uint64_t iova, bytes, page_size, bitmap;
  } argument = {sizeof argument, hwpt, flags, 0, iova, bytes, page_size, ioc_address(bitmap)};
  return ioc_call(ioc, kGetDirtyBitmap, &argument);
}

int ioc_faults_open(struct ioc_context* ioc, struct ioc_faults* out) {
  struct {
    uint32_t size, flags, out_id, out_fd;
  } argument = {sizeof argument, 0, 0, 0};
  const int error = ioc_call(ioc, kFaultQueueAlloc, &argument);
  if (error) return error;
  out->ioc = ioc;
  out->id = argument.out_id;
  out->fd = (int)argument.out_fd;
  return 0;
}

void ioc_faults_close(struct ioc_faults* faults) {
  faults->ioc->system->close(faults->ioc->system->self, faults->fd);
  ioc_destroy(faults->ioc, faults->id);  // stays if a page table still uses it; goes with the context then
}

int ioc_faults_read(struct ioc_faults* faults, struct ioc_fault* out, unsigned capacity) {
  const struct ioc_system* const system = faults->ioc->system;
  const ssize_t bytes = system->read(system->self, faults->fd, out, capacity * sizeof *out);
  return bytes < 0 ? (int)bytes : (int)((size_t)bytes / sizeof *out);
}

int ioc_faults_answer(struct ioc_faults* faults, uint32_t cookie, bool retry) {
  const struct ioc_system* const system = faults->ioc->system;
  const uint32_t answer[2] = {cookie, retry ? 0 : 1};
  const ssize_t bytes = system->write(system->self, faults->fd, answer, sizeof answer);
  return bytes < 0 ? (int)bytes : 0;
}
