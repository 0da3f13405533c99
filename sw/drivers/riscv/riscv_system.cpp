// SPDX-License-Identifier: Apache-2.0
// Numbers and groups of a system.
#include "drivers/riscv/riscv_system.h"

#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {

std::uint32_t SpaceNumbers::take() {
  const std::lock_guard guard(*lock_);
  if (!returned_.empty()) {
    const std::uint32_t number = *returned_.begin();
    returned_.erase(returned_.begin());
    return number;
  }
  return first_unused_ < end_ ? first_unused_++ : 0;
}

void SpaceNumbers::give_back(std::uint32_t number) {
  const std::lock_guard guard(*lock_);
  hal::ensure(number != 0 && number < first_unused_ && returned_.insert(number).second,
              "the number of an address space is given back that was not taken");
}

std::uint64_t SpaceNumbers::in_use() const {
  const std::lock_guard guard(*lock_);
  return first_unused_ - 1 - returned_.size();
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
