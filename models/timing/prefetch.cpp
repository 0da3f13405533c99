// SPDX-License-Identifier: Apache-2.0
// Prefetching: walks for pages that nobody has asked for. They have slots of their own, take a walker only when no
// request wants one, and are requests without effects: they set no A and no D, report no fault, and end at the first
// entry that would ask for either. What invalidations forbid, they may not keep, as everybody else.
#include "timing/engine.h"

namespace iommusim::timing {

/// The pages after the one that `entry` translates, as the same device would read them. What an ATS request finds is
/// for the device's own cache, and so are the pages behind it.
void Engine::want_prefetches(const translate::Request& from, const translate::TranslationEntry& entry,
                             std::uint32_t port, base::Cycle now) {
  if (from.type != translate::AddressType::kUntranslated || from.debug) return;
  const std::uint64_t size = 1ULL << entry.size_log2;
  std::uint64_t page = base::align_down(from.iova.value, size);
  for (std::uint32_t n = 0; n < params_.prefetch.degree; ++n) {
    if (page + size < page) return;
    page += size;
    ++stats_.prefetch.wanted;
    if (prefetch_wanted_.full()) {
      ++stats_.prefetch.no_room;
      continue;
    }
    translate::Request request = from;
    request.iova = base::Iova(page);
    request.bytes = 1;
    request.access = translate::Access::kRead;
    request.execute = request.stores_msi = false;
    prefetch_wanted_.push({request, port});
    stats_.prefetch.waiting.enter(now);
  }
}

bool Engine::step_prefetches(base::Cycle now) {
  bool moved = false;
  for (; !prefetch_wanted_.empty() && walker_queue_.empty() && walkers_busy_ < params_.walkers.count &&
         !prefetch_free_.empty();
       moved = true) {
    const WantedPrefetch wanted = prefetch_wanted_.front();
    prefetch_wanted_.pop();
    stats_.prefetch.waiting.leave(now);
    start_prefetch(wanted, now);
  }
  return moved;
}

/// Only where the contexts are known and the page is not.
void Engine::start_prefetch(const WantedPrefetch& wanted, base::Cycle now) {
  const std::uint32_t i = prefetch_free_.back();
  Slot& slot = slots_[i];
  translate::Translation& process = slot.process;
  process.start(wanted.request, registers_, translate::Effects::kSpeculative);
  if (process.ask().kind == translate::AskKind::kLookupDevice)
    if (auto* const held = devices_.cache.find(ContextKey::of_device(process.ask().device))) process.hit(held->value);
  if (process.ask().kind == translate::AskKind::kLookupProcess)
    if (auto* const held = processes_.cache.find(ContextKey::of_process(process.ask().device, process.ask().process)))
      process.hit(held->value);
  if (process.ask().kind != translate::AskKind::kLookupTranslation || misses_.full() ||
      misses_.find(miss_key(process.ask().key)) != kNoSlot || iotlb_.holds(process.ask().key)) {
    ++stats_.prefetch.not_needed;
    return;
  }
  prefetch_free_.pop_back();
  ++stats_.prefetch.walks;
  slot.accepted = slot.walk_start = now;
  slot.walk_reads = 0;
  slot.walked = slot.has_result = slot.has_fill = false;
  slot.port = wanted.port;
  slot.epoch = epoch_;
  ++translating_[epoch_];
  slot.picked_at_invalidation = invalidations_.count();
  open_miss(slot, now);
  slot.state = SlotState::kWalk;
  begin_walk(slot, stats_.walks.started_prefetch, now);
  process.miss();
  advance(i, now);
}

/// Its entry is in the IOTLB, or it is given up without a word.
void Engine::finish_prefetch(std::uint32_t i, base::Cycle now) {
  if (!slots_[i].has_fill) ++stats_.prefetch.in_vain;
  end_walk(i, slots_[i].process.outcome().fault.cause == 0, now);
  --translating_[slots_[i].epoch];
  slots_[i].state = SlotState::kFree;
  prefetch_free_.push_back(i);
}

}  // namespace iommusim::timing
