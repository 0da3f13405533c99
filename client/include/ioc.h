/* SPDX-License-Identifier: Apache-2.0
 * A small library for programs that use /dev/iommu and VFIO character devices: map memory for devices, bind and attach
 * a device, use its registers and interrupts, read and answer page faults, track dirty pages. It knows the published
 * interface only, so it runs on any kernel that has it, and under `iommusim exec`.
 *
 * Functions return 0 (or what their comment says) or a negative errno. Objects of the kernel are named by its ids.
 * Different objects may be used from different threads at the same time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The system calls that the library makes, so that a test can bind them to something else. Each returns as the call
 * itself does but with a negative errno in place of -1; `self` is handed through. */
struct ioc_system {
  void* self;
  int (*open)(void* self, const char* path);
  int (*close)(void* self, int fd);
  int (*ioctl)(void* self, int fd, unsigned long command, void* argument);
  ssize_t (*read)(void* self, int fd, void* to, size_t bytes);
  ssize_t (*write)(void* self, int fd, const void* from, size_t bytes);
  ssize_t (*pread)(void* self, int fd, void* to, size_t bytes, uint64_t position);
  ssize_t (*pwrite)(void* self, int fd, const void* from, size_t bytes, uint64_t position);
  int (*map)(void* self, int fd, uint64_t position, size_t bytes, void** out); /* shared, readable and writable */
  int (*unmap)(void* self, void* at, size_t bytes);
  int (*eventfd)(void* self);
};
const struct ioc_system* ioc_libc(void);

/* ---- An open of /dev/iommu. `system` NULL: the real one. ------------------------------------------------------- */
struct ioc_context;
int ioc_open(const struct ioc_system* system, struct ioc_context** out);
void ioc_close(struct ioc_context* ioc);
const struct ioc_system* ioc_system_of(const struct ioc_context* ioc);
int ioc_fd(const struct ioc_context* ioc);

int ioc_destroy(struct ioc_context* ioc, uint32_t id);
int ioc_ioas_alloc(struct ioc_context* ioc, uint32_t* ioas);

enum { IOC_READ = 4, IOC_WRITE = 2 }; /* what devices may do */
/* Maps [memory, memory + bytes) where there is room; *iova tells where. */
int ioc_map(struct ioc_context* ioc, uint32_t ioas, void* memory, uint64_t bytes, unsigned access, uint64_t* iova);
int ioc_map_at(struct ioc_context* ioc, uint32_t ioas, void* memory, uint64_t bytes, unsigned access, uint64_t iova);
/* `removed` may be NULL. -ENOENT: nothing is mapped there, or a mapping is only partly inside. */
int ioc_unmap(struct ioc_context* ioc, uint32_t ioas, uint64_t iova, uint64_t bytes, uint64_t* removed);

struct ioc_range {
  uint64_t start, last;
};
/* The IOVAs that may be used: how many ranges there are; the first `capacity` of them are written. */
int ioc_iova_ranges(struct ioc_context* ioc, uint32_t ioas, struct ioc_range* ranges, uint32_t capacity,
                    uint64_t* alignment);

/* ---- Page tables of one's own ------------------------------------------------------------------------------------ */
enum { IOC_HWPT_NEST_PARENT = 1, IOC_HWPT_DIRTY = 2, IOC_HWPT_PASID = 8 };
/* `fault`: the queue for page faults, 0: none. */
int ioc_hwpt_alloc(struct ioc_context* ioc, uint32_t device, uint32_t ioas, unsigned flags, uint32_t fault,
                   uint32_t* hwpt);

enum { IOC_CAN_TRACK_DIRTY = 1 };
int ioc_capabilities(struct ioc_context* ioc, uint32_t device, uint64_t* capabilities);

int ioc_dirty_track(struct ioc_context* ioc, uint32_t hwpt, bool on);
enum { IOC_DIRTY_KEEP = 1 }; /* the next call reports the same pages again */
/* Sets bit n of `bitmap` (64 pages a word, zeroed by the caller) for page n from `iova` on that a device wrote. */
int ioc_dirty_read(struct ioc_context* ioc, uint32_t hwpt, uint64_t iova, uint64_t bytes, uint64_t page_size,
                   uint64_t* bitmap, unsigned flags);

/* ---- Page faults of devices ---------------------------------------------------------------------------------------
 */
struct ioc_faults {
  struct ioc_context* ioc;
  uint32_t id; /* for ioc_hwpt_alloc */
  int fd;      /* readable when a fault waits */
};
struct ioc_fault {
  uint32_t flags; /* 1: `pasid` counts; 2: the last page of its group */
  uint32_t device;
  uint32_t pasid;
  uint32_t group;
  uint32_t access; /* 1 read, 2 write, 4 execute, 8 privileged */
  uint32_t reserved;
  uint64_t address;
  uint32_t length;
  uint32_t cookie; /* names the group in the answer */
};
int ioc_faults_open(struct ioc_context* ioc, struct ioc_faults* out);
void ioc_faults_close(struct ioc_faults* faults);
/* How many were read: whole groups; 0: none is there. */
int ioc_faults_read(struct ioc_faults* faults, struct ioc_fault* out, unsigned capacity);
/* One answer a group: the device tries again (`retry`), or gives up. */
int ioc_faults_answer(struct ioc_faults* faults, uint32_t cookie, bool retry);

/* ---- Devices --------------------------------------------------------------------------------------------------------
 */
struct ioc_device;
/* Opens a character device, e.g. /dev/vfio/devices/vfio0, and binds it; its DMA is blocked until it is attached. */
int ioc_device_open(struct ioc_context* ioc, const char* path, struct ioc_device** out);
void ioc_device_close(struct ioc_device* device);
uint32_t ioc_device_id(const struct ioc_device* device);
int ioc_device_fd(const struct ioc_device* device);

/* Translates its DMA by an address space or a page table; if attached already, switches over. `hwpt` (may be NULL)
 * receives the page table in use. */
int ioc_attach(struct ioc_device* device, uint32_t pt, uint32_t* hwpt);
int ioc_attach_pasid(struct ioc_device* device, uint32_t pasid, uint32_t pt);
int ioc_detach(struct ioc_device* device);
int ioc_detach_pasid(struct ioc_device* device, uint32_t pasid);
int ioc_reset(struct ioc_device* device);

int ioc_config_read(struct ioc_device* device, uint32_t offset, void* to, size_t bytes);
int ioc_config_write(struct ioc_device* device, uint32_t offset, const void* from, size_t bytes);
/* Whether the device may begin DMA and send interrupts; off after opening. */
int ioc_bus_master(struct ioc_device* device, bool on);

/* 0: there is no such BAR. */
uint64_t ioc_bar_bytes(const struct ioc_device* device, unsigned bar);
/* Registers, naturally aligned; through a mapping if the BAR has one, else by pread and pwrite. What cannot be read
 * reads as ones. */
uint32_t ioc_read32(struct ioc_device* device, unsigned bar, uint64_t offset);
uint64_t ioc_read64(struct ioc_device* device, unsigned bar, uint64_t offset);
void ioc_write32(struct ioc_device* device, unsigned bar, uint64_t offset, uint32_t value);
void ioc_write64(struct ioc_device* device, unsigned bar, uint64_t offset, uint64_t value);

enum { IOC_INTX = 0, IOC_MSI = 1, IOC_MSIX = 2 };
int ioc_irq_count(struct ioc_device* device, unsigned kind);
/* Vectors 0 to count - 1 signal the eventfds; -1: nobody. */
int ioc_irq_enable(struct ioc_device* device, unsigned kind, const int32_t* eventfds, unsigned count);
int ioc_irq_disable(struct ioc_device* device, unsigned kind);
/* After a wire's interrupt was handled: it may come again. */
int ioc_irq_unmask_intx(struct ioc_device* device);

#ifdef __cplusplus
}
#endif
