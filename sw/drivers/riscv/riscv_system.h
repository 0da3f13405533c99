// SPDX-License-Identifier: Apache-2.0
// What the IOMMUs of one system share: the numbers of address spaces (a PSCID or GSCID means one page table everywhere)
// and the isolation groups of devices. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::drivers::riscv {

/// Numbers of address spaces, 1 to end - 1. The lowest free one is given.
class SpaceNumbers {
 public:
  SpaceNumbers(hal::Os& os, std::uint32_t end) : end_(end), lock_(os.make_mutex()) {}

  /// 0 when all are taken.
  std::uint32_t take();
  /// Only after the last invalidation of that address space.
  void give_back(std::uint32_t number);
  std::uint64_t in_use() const;

 private:
  const std::uint32_t end_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::uint32_t first_unused_ = 1;    // no number from here on was ever taken
  std::set<std::uint32_t> returned_;
};

class RiscvSystem {
 public:
  explicit RiscvSystem(hal::Os& os) : pscids_(os, 1U << 20), gscids_(os, 1U << 16), lock_(os.make_mutex()) {}

  SpaceNumbers& pscids() { return pscids_; }
  SpaceNumbers& gscids() { return gscids_; }
  std::uint64_t pscids_in_use() const { return pscids_.in_use(); }
  std::uint64_t gscids_in_use() const { return gscids_.in_use(); }

  /// The group of that number; made at the first call.
  domain::Group& group(std::uint32_t id);
  /// A number for an IOMMU, ascending from 0: orders the devices of a domain.
  std::uint32_t next_iommu_index();

 private:
  SpaceNumbers pscids_, gscids_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::map<std::uint32_t, domain::Group> groups_;
  std::uint32_t iommus_ = 0;
};

}  // namespace iommusim::drivers::riscv
