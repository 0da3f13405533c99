// SPDX-License-Identifier: Apache-2.0
// Numbers and groups of a system.
#include "drivers/riscv/riscv_system.h"

#include <algorithm>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {

std::uint32_t SpaceNumbers::take() {
  const std::lock_guard guard(*lock_);
  while (lowest_ < taken_.size() && taken_[lowest_]) ++lowest_;
  if (lowest_ == end_) return 0;
  if (lowest_ == taken_.size()) taken_.push_back(false);
  taken_[lowest_] = true;
  ++in_use_;
  return lowest_++;
}

void SpaceNumbers::give_back(std::uint32_t number) {
  const std::lock_guard guard(*lock_);
  hal::ensure(number != 0 && number < taken_.size() && taken_[number],
              "the number of an address space is given back that was not taken");
  taken_[number] = false;
  lowest_ = std::min(lowest_, number);
  --in_use_;
}

std::uint64_t SpaceNumbers::in_use() const {
  const std::lock_guard guard(*lock_);
  return in_use_;
}

domain::Group& RiscvSystem::group(std::uint32_t id) {
  const std::lock_guard guard(*lock_);
  domain::Group& group = groups_[id];
  group.id = id;
  return group;
}

std::uint32_t RiscvSystem::next_iommu_index() {
  const std::lock_guard guard(*lock_);
  return iommus_++;
}

}  // namespace iommusim::drivers::riscv
