// SPDX-License-Identifier: Apache-2.0
// Keys of the caches: the tag and the page number packed into two words. index() chooses the set, hash() the bucket.
#pragma once

#include "timing/cache.h"
#include "translate/cache_entries.h"

namespace iommusim::timing {

/// Tag and page number of a cached translation or of a cached non-leaf entry. `kind` tells entries of one structure
/// apart that may share a page number: the page size, or the number of levels of the mode.
struct PageKey {
  std::uint64_t tag = 0;
  std::uint64_t page = 0;

  static PageKey make(const translate::AddressSpaceTag& space, unsigned kind, bool global, std::uint64_t page) {
    return {(std::uint64_t{space.gscid.value} << 32) | (global ? 0 : std::uint64_t{space.pscid.value} << 12) |
                (space.second_stage ? 1U << 8 : 0U) | (space.first_stage ? 1U << 7 : 0U) | (global ? 1U << 6 : 0U) |
                kind,
            page};
  }
  std::uint64_t hash() const { return mix(page ^ (tag * 0x9e3779b97f4a7c15ULL)); }
  std::uint64_t index() const { return page; }
  friend bool operator==(const PageKey& a, const PageKey& b) { return a.tag == b.tag && a.page == b.page; }
};

/// A device, or a prefix of device ids at a directory level.
struct DeviceKey {
  std::uint64_t device = 0;
  std::uint64_t hash() const { return mix(device); }
  std::uint64_t index() const { return device; }
  friend bool operator==(const DeviceKey& a, const DeviceKey& b) { return a.device == b.device; }
};

}  // namespace iommusim::timing
