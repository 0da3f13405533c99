// SPDX-License-Identifier: Apache-2.0
// The driver-facing interface: what iommufd (and the kernel-side DMA API) expects of an IOMMU driver, and what a driver
// gets from them. Errors are positive Linux errno numbers; 0 is success. `last` is inclusive.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "domain/page_fault.h"

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

/// One I/O page table. map/unmap of disjoint ranges may run in parallel; the caller serialises overlapping ones.
class Domain {
 public:
  virtual ~Domain() = default;
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
};

/// Why an IOVA range must not be mapped.
struct ReservedRegion {
  enum class Kind { kDirect, kDirectRelaxable, kReserved, kMsi, kSoftwareMsi };
  std::uint64_t start = 0;
  std::uint64_t last = 0;
  Kind kind = Kind::kReserved;
};

enum class Capability { kCacheCoherency, kIsolatedMsi, kDirtyTracking, kEnforceCoherency, kPasid, kAts, kPageRequests };

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
};

}  // namespace iommusim::domain
