// SPDX-License-Identifier: Apache-2.0
// Structures of /dev/iommu about page tables, hardware information and page faults: arguments of ioctls, and what
// passes through the descriptor of a fault queue. Layouts are asserted, as in uapi/iommufd.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::uapi {

enum IommuHwptAllocFlags : std::uint32_t {
  kIommuHwptNestParent = 1,
  kIommuHwptDirtyTracking = 2,
  kIommuHwptFaultIdValid = 4,
  kIommuHwptPasid = 8,
};

struct IommuHwptInvalidate {
  std::uint32_t size;
  std::uint32_t hwpt_id;  ///< a nested page table or a vIOMMU
  std::uint64_t data_uptr;
  std::uint32_t data_type;
  std::uint32_t entry_len;
  std::uint32_t entry_num;  ///< out, always: the entries done
  std::uint32_t reserved;
};
static_assert(sizeof(IommuHwptInvalidate) == 32 && offsetof(IommuHwptInvalidate, hwpt_id) == 4);
static_assert(offsetof(IommuHwptInvalidate, data_uptr) == 8 && offsetof(IommuHwptInvalidate, data_type) == 16);
static_assert(offsetof(IommuHwptInvalidate, entry_len) == 20 && offsetof(IommuHwptInvalidate, entry_num) == 24);
static_assert(offsetof(IommuHwptInvalidate, reserved) == 28);

enum IommuHwInfoFlags : std::uint32_t { kIommuHwInfoInputType = 1 };
enum IommuHwCapabilities : std::uint64_t {
  kIommuHwCapDirtyTracking = 1,
  kIommuHwCapPasidExecute = 2,
  kIommuHwCapPasidPrivileged = 4,
};

struct IommuGetHwInfo {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t dev_id;
  std::uint32_t data_len;  ///< in: of the program's buffer; out: of the driver's structure
  std::uint64_t data_uptr;
  std::uint32_t data_type;  ///< in with kIommuHwInfoInputType; out always
  std::uint8_t out_max_pasid_log2;
  std::uint8_t reserved[3];
  std::uint64_t out_capabilities;
};
static_assert(sizeof(IommuGetHwInfo) == 40 && offsetof(IommuGetHwInfo, flags) == 4);
static_assert(offsetof(IommuGetHwInfo, dev_id) == 8 && offsetof(IommuGetHwInfo, data_len) == 12);
static_assert(offsetof(IommuGetHwInfo, data_uptr) == 16 && offsetof(IommuGetHwInfo, data_type) == 24);
static_assert(offsetof(IommuGetHwInfo, out_max_pasid_log2) == 28 && offsetof(IommuGetHwInfo, reserved) == 29);
static_assert(offsetof(IommuGetHwInfo, out_capabilities) == 32);

struct IommuFaultQueueAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t out_fault_id;
  std::uint32_t out_fault_fd;
};
static_assert(sizeof(IommuFaultQueueAlloc) == 16 && offsetof(IommuFaultQueueAlloc, flags) == 4);
static_assert(offsetof(IommuFaultQueueAlloc, out_fault_id) == 8 && offsetof(IommuFaultQueueAlloc, out_fault_fd) == 12);

enum IommuPageFaultFlags : std::uint32_t { kIommuPageFaultPasidValid = 1, kIommuPageFaultLastPage = 2 };
enum IommuPageFaultPermissions : std::uint32_t {
  kIommuPageFaultRead = 1,
  kIommuPageFaultWrite = 2,
  kIommuPageFaultExecute = 4,
  kIommuPageFaultPrivileged = 8,
};

/// What a program reads from a fault queue: one for each page of a group.
struct IommuHwptPageFault {
  std::uint32_t flags;
  std::uint32_t dev_id;
  std::uint32_t pasid;
  std::uint32_t grpid;
  std::uint32_t perm;
  std::uint32_t reserved;
  std::uint64_t addr;
  std::uint32_t length;
  std::uint32_t cookie;  ///< of the group; names it in the response
};
static_assert(sizeof(IommuHwptPageFault) == 40 && offsetof(IommuHwptPageFault, dev_id) == 4);
static_assert(offsetof(IommuHwptPageFault, pasid) == 8 && offsetof(IommuHwptPageFault, grpid) == 12);
static_assert(offsetof(IommuHwptPageFault, perm) == 16 && offsetof(IommuHwptPageFault, addr) == 24);
static_assert(offsetof(IommuHwptPageFault, length) == 32 && offsetof(IommuHwptPageFault, cookie) == 36);

enum IommuPageResponseCode : std::uint32_t { kIommuPageResponseSuccess = 0, kIommuPageResponseInvalid = 1 };

/// What it writes back.
struct IommuHwptPageResponse {
  std::uint32_t cookie;
  std::uint32_t code;
};
static_assert(sizeof(IommuHwptPageResponse) == 8 && offsetof(IommuHwptPageResponse, code) == 4);

}  // namespace iommusim::uapi
