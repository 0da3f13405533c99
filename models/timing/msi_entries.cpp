// SPDX-License-Identifier: Apache-2.0
// MSI page-table entries: their cache, which a request asks before a walker reads one.
#include "timing/engine.h"

namespace iommusim::timing {

/// The state of a request that has walked the first stage stays: it holds a walker.
void Engine::lookup_msi(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  if (slot.state != SlotState::kWalk) slot.state = SlotState::kMsiLookup;
  if (together_with_last_lookup(slot, now)) return end_msi_lookup(i, now);
  msi_stage_.start(now, i);
}

void Engine::end_msi_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  CacheStats& stats = stats_.msi_cache;
  slot.looked_up_at = now;
  ++stats.lookups;
  if (auto* const held = msi_cache_.find(page_key_of(slot.process.ask().msi))) {
    ++stats.hits;
    msi_cache_.touch(*held);
    slot.process.hit(translate::MsiEntry(held->value.entry));
  } else {
    ++stats.misses;
    slot.process.miss();
  }
  advance(i, now);
}

void Engine::fill_msi(std::uint32_t i) {
  const Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  CacheStats& stats = stats_.msi_cache;
  if (overtaken(slot, [&](const auto& invalidation) {
        return selects_contexts(invalidation, slot) || translate::selects(invalidation, ask.msi);
      })) {
    ++stats.overtaken;
  } else if (msi_cache_.enabled()) {
    if (msi_cache_.insert(page_key_of(ask.msi), {ask.msi, ask.msi_entry}, [](const auto&) {})) ++stats.evictions;
    ++stats.fills;
  }
}

}  // namespace iommusim::timing
