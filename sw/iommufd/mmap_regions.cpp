// SPDX-License-Identifier: Apache-2.0
// Regions of a context that can be mapped.
#include "iommufd/mmap_regions.h"

#include <cerrno>
#include <mutex>

#include "pagetable/interval.h"

namespace iommusim::iommufd {

int MmapRegions::add(Object& owner, std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset_out) {
  const std::lock_guard guard(*lock_);
  std::uint64_t offset = pagetable::kPage;
  for (const auto& [start, region] : regions_) {
    if (start - offset >= bytes) break;
    offset = start + region.bytes;
  }
  if (offset + bytes < offset) return ENOMEM;
  regions_.emplace(offset, Region{&owner, spa, bytes});
  offset_out = offset;
  return 0;
}

void MmapRegions::remove(std::uint64_t offset) {
  const std::lock_guard guard(*lock_);
  regions_.erase(offset);
}

void MmapRegions::remove_all(const Object& owner) {
  const std::lock_guard guard(*lock_);
  for (auto at = regions_.begin(); at != regions_.end();)
    at = at->second.owner == &owner ? regions_.erase(at) : std::next(at);
}

int MmapRegions::map(std::uint64_t offset, std::uint64_t bytes, std::uint64_t& spa_out, UsersRef<Object>& hold_out) {
  const std::lock_guard guard(*lock_);
  const auto at = regions_.find(offset);
  if (at == regions_.end() || at->second.bytes != bytes) return ENXIO;
  CallHold<Object> owner = objects_.try_hold(*at->second.owner);
  if (!owner) return ENXIO;
  hold_out = to_users(std::move(owner));
  spa_out = at->second.spa;
  return 0;
}

}  // namespace iommusim::iommufd
