// SPDX-License-Identifier: Apache-2.0
// What the IOMMUs of one system share: the numbers of address spaces (a PSCID means one domain everywhere) and the
// isolation groups of devices. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::drivers::riscv {

class RiscvSystem {
 public:
  explicit RiscvSystem(hal::Os& os) : lock_(os.make_mutex()) {}

  /// The lowest free PSCID, 1 .. 2^20 - 1; 0 when all are taken.
  std::uint32_t take_pscid();
  /// Only after the last invalidation of that address space.
  void give_back_pscid(std::uint32_t pscid);
  std::uint64_t pscids_in_use() const;

  /// The group of that number; made at the first call.
  domain::Group& group(std::uint32_t id);
  /// A number for an IOMMU, ascending from 0: orders the devices of a domain.
  std::uint32_t next_iommu_index();

 private:
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::uint32_t first_unused_ = 1;    // no number from here on was ever taken
  std::set<std::uint32_t> returned_;
  std::map<std::uint32_t, domain::Group> groups_;
  std::uint32_t iommus_ = 0;
};

}  // namespace iommusim::drivers::riscv
