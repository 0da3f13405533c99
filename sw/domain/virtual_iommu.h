// SPDX-License-Identifier: Apache-2.0
// The part of an IOMMU that a driver lends to a guest (vIOMMU): nested page tables made in it, devices known to it by
// the guest's numbers, invalidations as the guest writes them, queues in guest memory, and events for the guest.
// Made by Device::alloc_virtual_iommu(); everything made in it ends before it. Functions may be called from several
// threads at once unless said otherwise. Errors are positive errno numbers.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>

#include "domain/user_data.h"

namespace iommusim::domain {

class Device;
class Domain;
class NestedDomain;

/// What the core does for a vIOMMU. Usable from the allocation of the vIOMMU until the end of its destructor.
class VirtualIommuPorts {
 public:
  virtual ~VirtualIommuPorts() = default;
  /// An event of the guest's kind `type`. Does not wait. 0, also when the queue is full (the loss is marked);
  /// EOPNOTSUPP: nobody listens to this type; ENOMEM.
  virtual int report_event(std::uint32_t type, const void* data, std::size_t bytes) = 0;
  /// Lets the program map [spa, spa + bytes), both page aligned, at file offset `offset_out`, which is never 0. 0 or
  /// ENOMEM.
  virtual int announce_mmap(std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset_out) = 0;
  /// Takes back what was announced; nobody maps it now, or the vIOMMU would not end. What is not taken back goes with
  /// the vIOMMU.
  virtual void retract_mmap(std::uint64_t offset) = 0;
};

/// A queue of commands in guest memory that hardware reads by itself.
class HwQueue {
 public:
  virtual ~HwQueue() = default;
  /// An earlier queue of the same vIOMMU that must outlive this one, or nullptr. Asked once, right after the creation.
  virtual HwQueue* depends_on() { return nullptr; }
};

struct HwQueueRequest {
  std::uint32_t type = 0;
  std::uint32_t index = 0;
  std::uint64_t iova = 0;  ///< in the parent's address space
  std::uint64_t length = 0;
  std::uint64_t spa = 0;  ///< physically contiguous, pinned while the queue lives
};

class VirtualIommu {
 public:
  virtual ~VirtualIommu() = default;

  /// A nested page table over the vIOMMU's parent. `flags` of DomainFlags. EOPNOTSUPP, EINVAL, EFAULT, ENOMEM.
  virtual bool can_nest() const { return false; }
  virtual int alloc_nested(Device& /*device*/, unsigned /*flags*/, const UserData& /*data*/,
                           std::unique_ptr<NestedDomain>& /*out*/) {
    return EOPNOTSUPP;
  }

  /// Handles the entries in order and stops at the first error; `done` (0 before) counts the leading ones done. A count
  /// of 0 asks whether the type is known.
  virtual bool can_invalidate() const { return false; }
  virtual int invalidate(const UserArray& /*entries*/, std::uint32_t& /*done*/) { return EOPNOTSUPP; }

  /// The guest knows `device` by `virtual_id` from here on. The core has made sure that both are unique in this
  /// vIOMMU, and serialises these two. 0, or an errno of the driver's choice.
  virtual int add_device(Device& /*device*/, std::uint64_t /*virtual_id*/) { return 0; }
  virtual void remove_device(Device& /*device*/, std::uint64_t /*virtual_id*/) {}

  virtual bool offers_hw_queue(std::uint32_t /*type*/) const { return false; }
  /// Calls are serialised, also with the destructors of queues. EINVAL (index), EEXIST (index is used), EIO (order).
  virtual int alloc_hw_queue(const HwQueueRequest& /*request*/, std::unique_ptr<HwQueue>& /*out*/) {
    return EOPNOTSUPP;
  }
};

struct VirtualIommuRequest {
  std::uint32_t type = 0;
  Domain* parent = nullptr;  ///< made with kNestParent; outlives the vIOMMU
  UserData data;             ///< in and out
  VirtualIommuPorts* ports = nullptr;
};

}  // namespace iommusim::domain
