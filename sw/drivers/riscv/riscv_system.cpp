// SPDX-License-Identifier: Apache-2.0
// Numbers and groups of a system.
#include "drivers/riscv/riscv_system.h"

#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

constexpr std::uint32_t kPscidEnd = 1U << 20;

}  // namespace

std::uint32_t RiscvSystem::take_pscid() {
  const std::lock_guard guard(*lock_);
  if (!returned_.empty()) {
    const std::uint32_t pscid = *returned_.begin();
    returned_.erase(returned_.begin());
    return pscid;
  }
  return first_unused_ < kPscidEnd ? first_unused_++ : 0;
}

void RiscvSystem::give_back_pscid(std::uint32_t pscid) {
  const std::lock_guard guard(*lock_);
  hal::ensure(pscid != 0 && pscid < first_unused_ && returned_.insert(pscid).second,
              "a PSCID is given back that was not taken");
}

std::uint64_t RiscvSystem::pscids_in_use() const {
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
