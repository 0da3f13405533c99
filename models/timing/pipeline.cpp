// SPDX-License-Identifier: Apache-2.0
// The way of a request through IOTLB, miss table and page-table walkers.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::end_translation_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  const translate::TranslationKey& key = slot.process.ask().key;
  slot.timeline.looked_up(now);
  const Iotlb::Found found = iotlb_.probe(key);
  if (found.entry == nullptr) {
    miss_translation(i, now);
    return release_followers(i, now);
  }
  if (found.first_of_prefetch && params_.prefetch.on_hit)
    want_prefetches(slot.process.request(), *found.entry, slot.port, now);
  if (!micro_tlbs_.empty() && !is_own(i)) micro_tlbs_[slot.port].tlb.fill(key, *found.entry);
  translation_found(i, *found.entry, now);
}

void Engine::miss_translation(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  note_miss(slot);
  if (monitor_.present()) count_event(translate::HpmEvent::kTlbMiss, slot, slot.process.ask().key.tag);
  if (const std::uint32_t entry = misses_.find(miss_key(slot.process.ask().key)); entry != kNoSlot) {
    ++stats_.iotlb.merged;
    slot.state = SlotState::kMerged;
    slot.timeline.found = record::Found::kMerged;
    misses_.waiters(entry).push(slots_, i);
    return;
  }
  stats_.iotlb.waiting.enter(now);
  if (misses_.full()) {
    slot.state = SlotState::kMissStall;
    stalled_.push(slots_, i);
    return;
  }
  start_miss(i, now);
}

/// Opens an entry of the miss table; there must be room.
void Engine::start_miss(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  open_miss(slot, now);
  slot.state = SlotState::kWalkerWait;
  walker_queue_.push(slots_, i);
}

void Engine::open_miss(Slot& slot, base::Cycle now) {
  if (params_.occupancy_histograms) stats_.iotlb.miss_table.enter(now);
  const PageKey key = miss_key(slot.process.ask().key);
  slot.miss = misses_.open(key);
  slot.has_way = params_.miss_table.allocate == Allocate::kAtMiss && iotlb_.reserve(key);
}

void Engine::give_way_back(Slot& slot) {
  if (slot.has_way) iotlb_.unreserve(misses_.key(slot.miss));
  slot.has_way = false;
}

/// The owner has what it wanted: those who waited get it too (or look again, if it may be stale, is a fault, or does
/// not serve them), one who found the table full gets the room. Handing over keeps an old request from missing for ever
/// while younger ones evict what it waits for.
void Engine::close_miss(std::uint32_t i, base::Cycle now) {
  const std::uint32_t miss = slots_[i].miss;
  const bool has_result = slots_[i].has_result;
  give_way_back(slots_[i]);
  SlotList waiters = misses_.waiters(miss);
  misses_.close(miss);
  slots_[i].miss = kNoSlot;
  if (params_.occupancy_histograms) stats_.iotlb.miss_table.leave(now);
  if (!stalled_.empty()) give_room(stalled_.pop(slots_), now);
  if (waiters.empty()) return;
  const translate::TranslationEntry result = slots_[i].result;
  while (!waiters.empty()) {
    const std::uint32_t waiter = waiters.pop(slots_);
    translate::Translation& process = slots_[waiter].process;
    if (has_result && translate::serves(result, process.ask().key.is_write)) process.hit(result);
    advance(waiter, now);
  }
}

/// The request found the miss table full; now it is not. Meanwhile another may walk for the same page.
void Engine::give_room(std::uint32_t i, base::Cycle now) {
  if (const std::uint32_t entry = misses_.find(miss_key(slots_[i].process.ask().key)); entry != kNoSlot) {
    stats_.iotlb.waiting.leave(now);
    ++stats_.iotlb.merged;
    slots_[i].state = SlotState::kMerged;
    slots_[i].timeline.found = record::Found::kMerged;
    misses_.waiters(entry).push(slots_, i);
    return;
  }
  start_miss(i, now);
}

/// A request reads an MSI PTE and needs no page table: a walker does that, too.
void Engine::wait_to_read(std::uint32_t i) {
  note_miss(slots_[i]);
  slots_[i].miss = kNoSlot;
  slots_[i].state = SlotState::kWalkerWait;
  walker_queue_.push(slots_, i);
}

bool Engine::step_grants(base::Cycle now) {
  bool moved = false;
  for (; walkers_busy_ < params_.walkers.count && !walker_queue_.empty(); moved = true) {
    const std::uint32_t i = walker_queue_.pop(slots_);
    Slot& slot = slots_[i];
    const bool missed = slot.miss != kNoSlot;
    if (missed) stats_.iotlb.waiting.leave(now);
    if (missed && params_.walkers.look_again)
      if (const auto* const entry = iotlb_.look_again(slot.process.ask().key)) {
        ++stats_.iotlb.look_again_hits;
        slot.timeline.found = record::Found::kLookAgain;
        slot.result = *entry;
        slot.has_result = params_.miss_table.hand_over;
        slot.process.hit(slot.result);
        close_miss(i, now);
        advance(i, now);
        continue;
      }
    slot.state = SlotState::kWalk;
    begin_walk(slot, walk_cause(i), now);
    if (missed) {
      ++stats_.iotlb.walks;
      slot.timeline.found = record::Found::kWalk;
      slot.process.miss();
    }
    advance(i, now);
  }
  return moved;
}

stats::Counter& Engine::walk_cause(std::uint32_t i) {
  PageWalkStats& stats = stats_.walks;
  if (i == debug_slot()) return stats.started_debug;
  return slots_[i].process.request().type == translate::AddressType::kAtsRequest ? stats.started_ats
                                                                                 : stats.started_demand;
}

void Engine::begin_walk(Slot& slot, stats::Counter& cause, base::Cycle now) {
  ++cause;
  ++stats_.walks.started;
  stats_.walks.active.enter(now);
  ++walkers_busy_;
  slot.walk_start = now;
  slot.timeline.walk_start = now;
  slot.walk_reads = 0;
}

void Engine::end_walk(std::uint32_t i, bool ok, base::Cycle now) {
  Slot& slot = slots_[i];
  PageWalkStats& stats = stats_.walks;
  ++(ok ? stats.ended_ok : is_prefetch(i) ? stats.ended_cancelled : stats.ended_fault);
  slot.timeline.walk_end = now;
  slot.timeline.reads += slot.walk_reads;
  stats.reads.add(slot.walk_reads);
  stats.cycles.add(now - slot.walk_start);
  stats.active.leave(now);
  --walkers_busy_;
  if (slot.miss != kNoSlot) close_miss(i, now);
}

/// Model: caches may leave the translations of ATS requests to the device, which keeps them anyhow.
bool Engine::keeps_what_it_finds(const Slot& slot) const {
  return params_.keep_ats || slot.process.request().type != translate::AddressType::kAtsRequest;
}

void Engine::fill_translation(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  const std::uint64_t page = base::align_down(ask.key.iova, 1ULL << ask.entry.size_log2);
  if (overtaken(slot, [&](const auto& invalidation) {
        return selects_contexts(invalidation, slot) || translate::selects(invalidation, ask.key.tag, page, ask.entry);
      })) {
    ++stats_.iotlb.overtaken;
    return;
  }
  slot.result = ask.entry;
  slot.has_result = params_.miss_table.hand_over;
  if (!keeps_what_it_finds(slot)) return;
  slot.has_fill = true;
  give_way_back(slot);
  if (is_prefetch(i)) return iotlb_.fill_prefetched(ask.key, ask.entry, !misses_.waiters(slot.miss).empty());
  iotlb_.fill(ask.key, ask.entry);
  if (is_own(i)) return;
  fill_front(slot, ask.key, ask.entry);
  if (params_.prefetch.policy == Prefetch::kNextPage)
    want_prefetches(slot.process.request(), ask.entry, slot.port, now);
}

void Engine::fill_walk(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  if (overtaken(slot, [&](const auto& invalidation) {
        return selects_contexts(invalidation, slot) || translate::selects(invalidation, ask.walk, ask.walk_entry);
      }))
    ++stats_.walk_cache.at(ask.walk.second_stage, ask.walk_entry.level).overtaken;
  else if (keeps_what_it_finds(slot))
    walk_cache_.fill(ask.walk, ask.walk_entry);
  slot.process.resume();
}

void Engine::invalidate(const translate::Invalidation& invalidation) {
  invalidations_.add(invalidation);
  using Kind = translate::Invalidation::Kind;
  CommandStats& stats = stats_.commands;
  invalidate_contexts(invalidation);
  if (invalidation.kind == Kind::kDdt || invalidation.kind == Kind::kPdt) {
    ++stats.iodir;
    return;
  }
  if (invalidation.address_valid)
    ++stats.iotinval_page;
  else
    ++(invalidation.pscid_valid || invalidation.gscid_valid ? stats.iotinval_space : stats.iotinval_all);
  invalidate_translations(invalidation);
}

/// Model: more than what the command names may go; IOMMU 3.1.1 lets any entry go at any time.
void Engine::invalidate_translations(const translate::Invalidation& invalidation) {
  using Kind = translate::Invalidation::Kind;
  translate::Invalidation named = invalidation;
  if (params_.invalidation.scope == InvalidationScope::kSpace) named.address_valid = false;
  if (params_.invalidation.scope == InvalidationScope::kEverything) {
    // Each entry belongs to the host, for IOTINVAL.VMA, or to a VM, for IOTINVAL.GVMA.
    named = {};
    named.kind = invalidation.kind == Kind::kVma ? Kind::kGvma : Kind::kVma;
    clear_translations(named);
    named.kind = invalidation.kind;
  }
  clear_translations(named);
}

void Engine::clear_translations(translate::Invalidation invalidation) {
  stats_.msi_cache.invalidated += msi_cache_.remove_if(
      [&](const PageKey&, const HeldMsi& held) { return translate::selects(invalidation, held.key); });
  iotlb_.invalidate(invalidation);
  invalidate_front(invalidation);
  if (walk_lines_.keeps()) walk_lines_.invalidate(invalidation);
  if (params_.invalidation.leaf_clears_walk_cache) invalidation.non_leaf = true;
  walk_cache_.invalidate(invalidation);
}

base::Cycle Engine::invalidation_cycles(const translate::Invalidation& invalidation) const {
  const InvalidationParams& params = params_.invalidation;
  if (params.entry_cycles == 0) return params.cycles;
  using Kind = translate::Invalidation::Kind;
  std::uint64_t entries = 0;
  if (invalidation.kind == Kind::kDdt || invalidation.kind == Kind::kPdt) {
    entries = std::uint64_t{params_.pdt_cache.entries} + params_.directory_cache.entries;
    if (invalidation.kind == Kind::kDdt) entries += params_.ddt_cache.entries;
  } else {
    entries = std::uint64_t{params_.iotlb.entries} + params_.micro_tlb.entries * micro_tlbs_.size() +
              params_.walk_cache.first_stage.entries() + (walk_lines_.keeps() ? params_.walk_lines.kept.entries : 0);
    if (invalidation.kind == Kind::kGvma)
      entries += params_.walk_cache.second_stage.entries() + params_.msi_cache.entries;
  }
  return params.cycles + params.entry_cycles * entries;
}

}  // namespace iommusim::timing
