// SPDX-License-Identifier: Apache-2.0
#include "timing/walk_cache.h"

#include <string>

namespace iommusim::timing {

WalkCache::WalkCache(const WalkCacheParams& params, std::uint64_t seed, EngineStats::WalkCacheStats& stats)
    : stats_(stats) {
  for (const WalkCacheStageParams* stage : {&params.first_stage, &params.second_stage}) {
    unsigned level = 1;
    for (const CacheParams* cache : {&stage->level1, &stage->level2, &stage->level3, &stage->level4})
      caches_.emplace_back(*cache, seed + caches_.size(), "walk_cache level " + std::to_string(level++));
  }
}

const translate::WalkEntry* WalkCache::probe(const translate::WalkKey& key) {
  for (unsigned level = 1; level < key.levels; ++level) {
    auto& cache = at(key.second_stage, level);
    if (!cache.enabled()) continue;
    CacheStats& stats = stats_.at(key.second_stage, level);
    ++stats.lookups;
    if (auto* const entry = cache.find(page_of(key, level))) {
      ++stats.hits;
      cache.touch(*entry);
      return &entry->value.entry;
    }
    ++stats.misses;
  }
  return nullptr;
}

void WalkCache::fill(const translate::WalkKey& key, const translate::WalkEntry& entry) {
  auto& cache = at(key.second_stage, entry.level);
  if (!cache.enabled()) return;
  CacheStats& stats = stats_.at(key.second_stage, entry.level);
  if (cache.insert(page_of(key, entry.level), Held{key, entry}, [](const auto&) {})) ++stats.evictions;
  ++stats.fills;
}

void WalkCache::invalidate(const translate::Invalidation& invalidation) {
  for (unsigned stage = 0; stage < 2; ++stage)
    for (unsigned level = 1; level <= 4; ++level)
      stats_.at(stage != 0, level).invalidated +=
          at(stage != 0, level).remove_if([&](const PageKey&, const Held& held) {
            return translate::selects(invalidation, held.key, held.entry);
          });
}

}  // namespace iommusim::timing
