// SPDX-License-Identifier: Apache-2.0
// The driver-facing interface: what iommufd (and the kernel-side DMA API) expects of an IOMMU driver, and what a driver
// gets from them. Errors are positive Linux errno numbers; 0 is success. `last` is inclusive.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "domain/hw_info.h"
#include "domain/page_fault.h"
#include "domain/user_data.h"
#include "domain/virtual_iommu.h"

namespace iommusim::domain {

enum Prot : unsigned { kRead = 1, kWrite = 2 };

/// What one unmap cleared and has not been invalidated in hardware yet. Filled by Domain::unmap, spent by Domain::sync.
struct Gather {
  std::uint64_t start = ~0ULL;
  std::uint64_t last = 0;
  std::vector<std::uint64_t> freed_tables;  ///< page-table frames to free after the invalidation completed
  bool empty() const { return start > last; }
  void add(std::uint64_t from, std::uint64_t to_last) {
    start = from < start ? from : start;
    last = to_last > last ? to_last : last;
  }
};

class Device;
class Domain;
class NestedDomain;

/// What a page table can do beyond translating; the numbers are those of HWPT_ALLOC's flags.
enum DomainFlags : unsigned { kNestParent = 1, kTracksDirty = 2, kForPasids = 8 };

/// What a device's DMA can be translated by: one of the two kinds of page table.
class Translation {
 public:
  virtual ~Translation() = default;
  virtual Domain* paging() { return nullptr; }
  virtual NestedDomain* nested() { return nullptr; }
};

/// Where a read of dirty state reports to.
class DirtySink {
 public:
  virtual ~DirtySink() = default;
  /// Something was written in [iova, iova + bytes), a leaf.
  virtual void dirty(std::uint64_t iova, std::uint64_t bytes) = 0;
};

/// One I/O page table. map/unmap of disjoint ranges may run in parallel; the caller serialises overlapping ones.
class Domain : public Translation {
 public:
  Domain* paging() final { return this; }
  virtual std::uint64_t page_sizes() const = 0;      ///< bitmap; bit n set: leaves of 2^n bytes
  virtual std::uint64_t aperture_start() const = 0;  ///< lowest IOVA
  virtual std::uint64_t aperture_last() const = 0;   ///< highest IOVA
  /// Maps [iova, iova + bytes) to the contiguous [spa, ...); all multiples of the smallest page size. `prot` is a set
  /// of Prot. 0, ENOMEM, EEXIST (something is mapped there), EINVAL. On failure nothing of the range stays mapped.
  virtual int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) = 0;
  /// Clears the leaves of the range; bytes cleared. Hardware may still hold them until sync(). Cannot fail.
  virtual std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, Gather& gather) = 0;
  // Of invalidations: false when the hardware did not answer. It may then still use what was to be forgotten, so
  // neither tables nor addresses must be used again.

  /// Invalidates what `gather` collected, or more, and waits until the hardware has done so; then frees its tables.
  /// Also empties it.
  virtual bool sync(Gather& gather) = 0;
  /// Invalidates everything of this domain, waits.
  virtual bool flush_all() = 0;
  /// Invalidates the leaves of [start, last] and nothing else, waits. Not enough for what unmap() gave tables of.
  virtual bool invalidate(std::uint64_t start, std::uint64_t last) = 0;
  /// Frees the tables of gathers whose unmap() was followed by a successful flush_all(), and empties the gather.
  virtual void free_tables(Gather& gather) = 0;
  /// Walks the table in software. False: not mapped.
  virtual bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) = 0;

  /// Which driver made it (uapi 4.1 row 14): the same as Device::iommu_driver() of the devices that it may serve.
  virtual const void* iommu_driver() const { return nullptr; }
  /// From here on no-snoop requests of devices are snooped all the same, for good; before anything is mapped. False:
  /// cannot be done.
  virtual bool enforce_coherency() { return false; }

  // Dirty tracking, for domains made with kTracksDirty.
  virtual bool tracks_dirty() const { return false; }
  /// Starts or stops recording. Both may be said twice. The caller clears old state before a start by read_dirty().
  virtual int set_dirty_tracking(bool /*on*/) { return EOPNOTSUPP; }
  /// Reports the leaves of [iova, iova + bytes) that were written, and forgets it with `clear`: then `gather` collects
  /// what hardware may still hold as dirty, and a sync() must follow. Holes are skipped (R7.7).
  virtual int read_dirty(std::uint64_t /*iova*/, std::uint64_t /*bytes*/, bool /*clear*/, DirtySink& /*sink*/,
                         Gather& /*gather*/) {
    return EOPNOTSUPP;
  }
};

/// A page table whose first stage a guest keeps in its own memory, over a paging domain (its parent).
class NestedDomain : public Translation {
 public:
  NestedDomain* nested() final { return this; }
  /// Forgets what the entries say, in order, up to the first error; `done` (0 before) counts the leading ones done. A
  /// count of 0 asks whether the type is known.
  virtual bool can_invalidate() const { return false; }
  virtual int invalidate(const UserArray& /*entries*/, std::uint32_t& /*done*/) { return EOPNOTSUPP; }
};

/// A paging domain as a program asks for it.
struct PagingRequest {
  unsigned flags = 0;  ///< DomainFlags, and bits that nobody knows
  UserData data;
};

/// Why an IOVA range must not be mapped.
struct ReservedRegion {
  enum class Kind { kDirect, kDirectRelaxable, kReserved, kMsi, kSoftwareMsi };
  std::uint64_t start = 0;
  std::uint64_t last = 0;
  Kind kind = Kind::kReserved;
};

enum class Capability {
  kCacheCoherency,
  kIsolatedMsi,
  kDirtyTracking,
  kEnforceCoherency,
  kPasid,  ///< pasid_width() is not 0
  kAts,
  kPageRequests,
  kPasidExecute,            ///< requests with a PASID may ask for execution
  kPasidPrivileged,         ///< and for privileged mode
  kPageRequestsOfPhysical,  ///< a virtual function whose physical function has the page request interface (R4.7)
};

/// Devices that cannot be told apart share a group, and are attached together.
struct Group {
  std::uint32_t id = 0;
  std::vector<Device*> devices;
};

/// A device behind an IOMMU, as its driver knows it. Attach, block and replace of one group are serialised by the
/// caller.
class Device {
 public:
  virtual ~Device() = default;
  virtual Group& group() = 0;
  virtual bool capable(Capability capability) const = 0;
  virtual std::vector<ReservedRegion> reserved_regions() const = 0;
  /// An empty paging domain that this device can be attached to. 0, ENOMEM, EOPNOTSUPP.
  virtual int alloc_domain(std::unique_ptr<Domain>& out) = 0;
  /// Translates this device's DMA by `domain`; also the way to replace one domain by another. Returns after the old
  /// translations became unreachable. 0, EINVAL (the domain does not suit this device: try another), ENOMEM, EBUSY.
  virtual int attach(Domain& domain) = 0;
  /// Blocks all DMA of the device. Cannot fail. The domain it was attached to may be destroyed afterwards.
  virtual void block() = 0;
  /// From here on faults of the device go to `handler`; null: to nobody, they are answered kInvalid. Returns when no
  /// call of the one before is running, so not from within one. 0, EOPNOTSUPP (no capability kPageRequests).
  virtual int set_page_fault_handler(PageFaultHandler* /*handler*/) { return EOPNOTSUPP; }
  /// The answer that a group is owed.
  virtual void answer_page_fault(const PageFaultGroup& /*group*/, PageAnswer /*answer*/) {}

  // What a program can ask for beyond a plain page table. The answers here are those of a driver without it.

  /// What the IOMMU is, as its driver tells programs. `type` is what the program wants to hear of, 0 for the usual.
  /// EOPNOTSUPP: not that. A driver without it says type 0, no data.
  virtual int hw_info(std::uint32_t /*type*/, HwInfo& out) {
    out = HwInfo{};
    return 0;
  }
  /// Bits of a PASID that the device can send; 0: none.
  virtual unsigned pasid_width() const { return 0; }
  /// Devices of the same driver, and of the same IOMMU, give equal values.
  virtual const void* iommu_driver() const { return nullptr; }
  virtual const void* iommu_instance() const { return nullptr; }

  /// Whether alloc_paging() understands more than a request for nothing special.
  virtual bool takes_paging_requests() const { return false; }
  /// EOPNOTSUPP (a flag, a type of data), EINVAL, EFAULT, ENOMEM.
  virtual int alloc_paging(const PagingRequest& request, std::unique_ptr<Domain>& out) {
    return request.flags != 0 || request.data.given() ? EOPNOTSUPP : alloc_domain(out);
  }
  virtual bool can_nest() const { return false; }
  /// A nested domain over `parent`, which was made with kNestParent by the same driver and outlives it.
  virtual int alloc_nested(Domain& /*parent*/, unsigned /*flags*/, const UserData& /*data*/,
                           std::unique_ptr<NestedDomain>& /*out*/) {
    return EOPNOTSUPP;
  }
  virtual bool offers_virtual_iommu(std::uint32_t /*type*/) const { return false; }
  virtual int alloc_virtual_iommu(const VirtualIommuRequest& /*request*/, std::unique_ptr<VirtualIommu>& /*out*/) {
    return EOPNOTSUPP;
  }

  /// As attach(). Further errors: ENOENT (it needs a vDEVICE first).
  virtual int attach_nested(NestedDomain& /*domain*/) { return EINVAL; }
  /// As attach(), for requests with `pasid`, which is not 0; the rest of the device's requests stay as they are. EINVAL
  /// also for a PASID that the device cannot send.
  virtual int attach_pasid(std::uint32_t /*pasid*/, Translation& /*translation*/) { return EINVAL; }
  /// Blocks requests with `pasid`. Cannot fail.
  virtual void block_pasid(std::uint32_t /*pasid*/) {}
  /// attach() or attach_nested().
  int attach_any(Translation& translation) {
    return translation.paging() ? attach(*translation.paging()) : attach_nested(*translation.nested());
  }
};

}  // namespace iommusim::domain
