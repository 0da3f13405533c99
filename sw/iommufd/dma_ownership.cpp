// SPDX-License-Identifier: Apache-2.0
// Claims on groups.
#include "iommufd/dma_ownership.h"

#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::iommufd {

int DmaOwnership::claim(const domain::Group& group, const void* owner) {
  const std::lock_guard guard(*lock_);
  Claim& claim = claims_[&group];
  if (claim.count != 0 && claim.owner != owner) return EBUSY;
  claim.owner = owner;
  ++claim.count;
  return 0;
}

void DmaOwnership::release(const domain::Group& group) noexcept {
  const std::lock_guard guard(*lock_);
  const auto at = claims_.find(&group);
  hal::ensure(at != claims_.end(), "a group is released that nobody owns");
  if (--at->second.count == 0) claims_.erase(at);
}

bool DmaOwnership::claimed(const domain::Group& group) {
  const std::lock_guard guard(*lock_);
  return claims_.count(&group) != 0;
}

}  // namespace iommusim::iommufd
