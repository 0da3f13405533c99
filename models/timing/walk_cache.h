// SPDX-License-Identifier: Apache-2.0
// The walk cache: valid non-leaf page-table entries, a structure per stage and level. A look-up answers with the entry
// nearest to the leaf, so that the walk starts as deep as possible. Entries of a first stage under a second stage hold
// the system-physical address of the next table: the second-stage walk to it is saved too.
#pragma once

#include <vector>

#include "timing/keys.h"
#include "timing/stats.h"
#include "translate/invalidation.h"

namespace iommusim::timing {

class WalkCache {
 public:
  WalkCache(const WalkCacheParams& params, std::uint64_t seed, EngineStats::WalkCacheStats& stats);

  /// Counted per level, from the leaf upward until one hits.
  const translate::WalkEntry* probe(const translate::WalkKey& key);
  void fill(const translate::WalkKey& key, const translate::WalkEntry& entry);
  void invalidate(const translate::Invalidation& invalidation);

 private:
  struct Held {
    translate::WalkKey key{};
    translate::WalkEntry entry{};
  };
  static PageKey page_of(const translate::WalkKey& key, unsigned level) {
    return PageKey::make(key.tag, key.levels, false, key.address >> (12 + 9 * level));
  }
  Cache<PageKey, Held>& at(bool second_stage, unsigned level) { return caches_[(second_stage ? 4U : 0U) + level - 1]; }

  std::vector<Cache<PageKey, Held>> caches_;
  EngineStats::WalkCacheStats& stats_;
};

}  // namespace iommusim::timing
