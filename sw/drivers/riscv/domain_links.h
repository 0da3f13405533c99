// SPDX-License-Identifier: Apache-2.0
// Who uses a page table, and how hardware forgets what it has cached of it: each invalidation goes once to each IOMMU
// of these devices, by the name that the table has there, and is waited for (riscv_driver.md 6). A first stage has one
// name, its PSCID. A second stage has a GSCID for direct use, and one more for each vIOMMU over it, so that guests
// may number their own address spaces as they like.
#pragma once

#include <optional>
#include <vector>

#include "drivers/riscv/device_atc.h"
#include "drivers/riscv/options.h"
#include "hal/os.h"

namespace iommusim::drivers::riscv {

class RiscvDevice;
class RiscvIommu;

/// Name of a page table in the IOMMU's caches.
struct SpaceTag {
  bool second_stage = false;
  std::uint32_t number = 0;  ///< GSCID or PSCID

  bool operator==(const SpaceTag& other) const { return second_stage == other.second_stage && number == other.number; }
  bool operator!=(const SpaceTag& other) const { return !(*this == other); }
  /// Forgets all of it, whatever stage it was found in.
  template <class Send>
  int for_each_command(Send&& send) const;
};

/// A use of a page table: by the requests of a device without PASID, or by those with one.
struct Link {
  RiscvDevice* device = nullptr;
  SpaceTag tag;
  std::optional<std::uint32_t> process{};  ///< PASID
  /// A guest's first stage is over the table. Its root, or its process directory, is in this guest page; a directory
  /// leads to further pages.
  bool nested = false;
  bool directory = false;
  std::uint64_t root_page = 0;
};

class DomainLinks {
 public:
  DomainLinks(hal::Os& os, hal::Memory& memory, const RiscvIommuOptions& options)
      : memory_(memory), options_(options), lock_(os.make_rwlock()) {}

  bool empty() const { return links_.empty(); }
  /// From here on invalidations reach the IOMMU of the device; every unmap that began earlier is seen by its walks.
  void add(const Link& link);
  /// Undoes add(); true: no other use under the same tag is left in that IOMMU.
  bool remove(const Link& link);

  struct Range {
    std::uint64_t start = 0;
    std::uint64_t last = ~0ULL;
    bool whole = true;    ///< all of the address space
    bool tables = false;  ///< also what led to leaves; with `whole` it always goes
    bool exact = false;   ///< nothing else
  };
  /// False: some hardware did not answer.
  bool forget(const Range& range);

 private:
  /// An invalidation that a device's own cache is owed.
  struct Asked {
    RiscvDevice* device;
    DeviceAtc::Process process;
    std::uint64_t from, to;
    DeviceAtc::Begun begun;
  };
  template <class Action>
  bool for_each_iommu(Action action);
  bool fence_all();
  std::vector<Asked> asked_devices(const Range& range) const;
  bool ask_devices(std::vector<Asked>& asked);
  int send(RiscvIommu& iommu, CommandBatch& batch, const Range& range) const;
  int send_to_tag(RiscvIommu& iommu, CommandBatch& batch, const Range& range, const SpaceTag& tag) const;
  bool whole_in(const RiscvIommu& iommu, const Range& range) const;
  bool exceeds_threshold(const Range& range) const;

  hal::Memory& memory_;
  const RiscvIommuOptions& options_;
  std::unique_ptr<hal::RwLock> lock_;  // guards links_; held shared while an invalidation runs
  std::vector<Link> links_;            // by IOMMU, then by tag
};

template <class Send>
int SpaceTag::for_each_command(Send&& send) const {
  if (!second_stage) return send(iotinval_pscid(number));
  if (const int error = send(iotinval_of_guest(number))) return error;
  return send(iotinval_second_stage(number));
}

}  // namespace iommusim::drivers::riscv
