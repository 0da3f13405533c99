// SPDX-License-Identifier: Apache-2.0
// Where contexts of one kind (of devices, or of processes) are looked up: their cache, the look-ups under way, and what
// is being fetched. Both kinds go the same way: look-up, merging with a fetch under way, a directory walk, the fill.
#pragma once

#include <type_traits>

#include "timing/keys.h"
#include "timing/lookup_stage.h"
#include "timing/miss_table.h"
#include "timing/stats.h"
#include "translate/registers.h"

namespace iommusim::timing {

/// What a slot's state is called while it is in a ContextLookup.
struct ContextStates {
  SlotState lookup, merged, walker_wait, walk;
};
inline constexpr ContextStates kDeviceStates{SlotState::kDeviceLookup, SlotState::kDeviceMerged,
                                             SlotState::kDeviceWalkerWait, SlotState::kDeviceWalk};
inline constexpr ContextStates kProcessStates{SlotState::kProcessLookup, SlotState::kProcessMerged,
                                              SlotState::kProcessWalkerWait, SlotState::kProcessWalk};

template <class Context>
struct ContextLookup {
  ContextLookup(const CacheParams& params, std::size_t slots, std::uint64_t seed, const char* name,
                const ContextStates& slot_states, MissingCacheStats& cache_stats, WalkStats& walk_stats)
      : cache(params, seed, name),
        stage(slots, params.lookup_cycles, params.ports),
        misses(static_cast<std::uint32_t>(slots), cache.enabled()),
        states(slot_states),
        stats(cache_stats),
        walks(walk_stats) {}

  /// A counted probe; nullptr is a miss.
  const Context* probe(const ContextKey& key) {
    ++stats.lookups;
    if (auto* const entry = cache.find(key)) {
      ++stats.hits;
      cache.touch(*entry);
      return &entry->value;
    }
    ++stats.misses;
    return nullptr;
  }
  void fill(const ContextKey& key, const Context& context) {
    if (!cache.enabled()) return;
    if (cache.insert(key, context, [](const auto&) {})) ++stats.evictions;
    ++stats.fills;
  }
  template <class Selected>
  void invalidate(Selected&& selected) {
    stats.invalidated += cache.remove_if([&](const ContextKey& key, const Context&) { return selected(key); });
  }

  Cache<ContextKey, Context> cache;
  LookupStage stage;
  MissTable<ContextKey> misses;
  ContextStates states;
  translate::HpmEvent walk_event = std::is_same_v<Context, spec::DeviceContext>
                                       ? translate::HpmEvent::kDeviceDirectoryWalk
                                       : translate::HpmEvent::kProcessDirectoryWalk;
  MissingCacheStats& stats;
  WalkStats& walks;
};

}  // namespace iommusim::timing
