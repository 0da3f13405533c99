// SPDX-License-Identifier: Apache-2.0
// Structures of /dev/iommu about what an IOMMU lends to a guest: vIOMMU, vDEVICE, event queue, hardware queue. Layouts
// are asserted, as in uapi/iommufd.h. Type 0 is no type in any of them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::uapi {

struct IommuViommuAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t type;
  std::uint32_t dev_id;
  std::uint32_t hwpt_id;
  std::uint32_t out_viommu_id;
  std::uint32_t data_len;
  std::uint32_t reserved;  ///< not checked
  std::uint64_t data_uptr;
};
static_assert(sizeof(IommuViommuAlloc) == 40 && offsetof(IommuViommuAlloc, flags) == 4);
static_assert(offsetof(IommuViommuAlloc, type) == 8 && offsetof(IommuViommuAlloc, dev_id) == 12);
static_assert(offsetof(IommuViommuAlloc, hwpt_id) == 16 && offsetof(IommuViommuAlloc, out_viommu_id) == 20);
static_assert(offsetof(IommuViommuAlloc, data_len) == 24 && offsetof(IommuViommuAlloc, data_uptr) == 32);

struct IommuVdeviceAlloc {
  std::uint32_t size;
  std::uint32_t viommu_id;
  std::uint32_t dev_id;
  std::uint32_t out_vdevice_id;
  std::uint64_t virt_id;
};
static_assert(sizeof(IommuVdeviceAlloc) == 24 && offsetof(IommuVdeviceAlloc, viommu_id) == 4);
static_assert(offsetof(IommuVdeviceAlloc, dev_id) == 8 && offsetof(IommuVdeviceAlloc, out_vdevice_id) == 12);
static_assert(offsetof(IommuVdeviceAlloc, virt_id) == 16);

struct IommuVeventqAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t viommu_id;
  std::uint32_t type;
  std::uint32_t veventq_depth;
  std::uint32_t out_veventq_id;
  std::uint32_t out_veventq_fd;
  std::uint32_t reserved;
};
static_assert(sizeof(IommuVeventqAlloc) == 32 && offsetof(IommuVeventqAlloc, flags) == 4);
static_assert(offsetof(IommuVeventqAlloc, viommu_id) == 8 && offsetof(IommuVeventqAlloc, type) == 12);
static_assert(offsetof(IommuVeventqAlloc, veventq_depth) == 16 && offsetof(IommuVeventqAlloc, out_veventq_id) == 20);
static_assert(offsetof(IommuVeventqAlloc, out_veventq_fd) == 24 && offsetof(IommuVeventqAlloc, reserved) == 28);

enum IommuVeventFlags : std::uint32_t { kIommuVeventLostEvents = 1 };

/// In front of each event that a program reads; the data of the queue's type follow.
struct IommuVeventHeader {
  std::uint32_t flags;
  std::uint32_t sequence;
};
static_assert(sizeof(IommuVeventHeader) == 8 && offsetof(IommuVeventHeader, sequence) == 4);

struct IommuHwQueueAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t viommu_id;
  std::uint32_t type;
  std::uint32_t index;
  std::uint32_t out_hw_queue_id;
  std::uint64_t nesting_parent_iova;
  std::uint64_t length;
};
static_assert(sizeof(IommuHwQueueAlloc) == 40 && offsetof(IommuHwQueueAlloc, flags) == 4);
static_assert(offsetof(IommuHwQueueAlloc, viommu_id) == 8 && offsetof(IommuHwQueueAlloc, type) == 12);
static_assert(offsetof(IommuHwQueueAlloc, index) == 16 && offsetof(IommuHwQueueAlloc, out_hw_queue_id) == 20);
static_assert(offsetof(IommuHwQueueAlloc, nesting_parent_iova) == 24 && offsetof(IommuHwQueueAlloc, length) == 32);

}  // namespace iommusim::uapi
