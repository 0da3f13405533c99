// SPDX-License-Identifier: Apache-2.0
// What the IOMMUs of one system share: the numbers of address spaces (a PSCID or GSCID means one page table everywhere)
// and the isolation groups of devices. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::drivers::riscv {

/// Numbers of address spaces, 1 to end - 1. The lowest free one is given.
class SpaceNumbers {
 public:
  SpaceNumbers(hal::Os& os, std::uint32_t end) : end_(end), lock_(os.make_mutex()) {}

  /// 0 when all are taken. May throw std::bad_alloc.
  std::uint32_t take();
  /// Only after the last invalidation of that address space. Cannot fail.
  void give_back(std::uint32_t number);
  std::uint64_t in_use() const;

 private:
  const std::uint32_t end_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::vector<bool> taken_ = {true};  // by number; what is beyond was never taken
  std::uint32_t lowest_ = 1;          // no number below is free
  std::uint64_t in_use_ = 0;
};

/// A number that was taken, until somebody keeps it.
class TakenNumber {
 public:
  explicit TakenNumber(SpaceNumbers& numbers) : numbers_(numbers), number_(numbers.take()) {}
  ~TakenNumber() {
    if (number_ != 0) numbers_.give_back(number_);
  }
  TakenNumber(const TakenNumber&) = delete;
  TakenNumber& operator=(const TakenNumber&) = delete;
  std::uint32_t number() const { return number_; }
  void keep() { number_ = 0; }

 private:
  SpaceNumbers& numbers_;
  std::uint32_t number_;
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
