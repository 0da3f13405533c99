// SPDX-License-Identifier: Apache-2.0
// The way of a request through IOTLB, miss table and page-table walkers.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::end_translation_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  if (const auto* const entry = iotlb_.probe(slot.process.ask().key)) {
    slot.process.hit(*entry);
    advance(i, now);
    return;
  }
  slot.walked = true;
  if (monitor_.present()) count_event(translate::HpmEvent::kTlbMiss, slot, slot.process.ask().key.tag);
  if (const std::uint32_t entry = misses_.find(miss_key(slot.process.ask().key)); entry != kNoSlot) {
    ++stats_.iotlb.merged;
    slot.state = SlotState::kMerged;
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
void Engine::start_miss(std::uint32_t i, base::Cycle) {
  Slot& slot = slots_[i];
  slot.miss = misses_.open(miss_key(slot.process.ask().key));
  slot.state = SlotState::kWalkerWait;
  walker_queue_.push(slots_, i);
}

/// The owner has what it wanted: those who waited get it too (or look again, if it may be stale, is a fault, or does
/// not serve them), one who found the table full gets the room. Handing over keeps an old request from missing for ever
/// while younger ones evict what it waits for.
void Engine::close_miss(std::uint32_t i, base::Cycle now) {
  const std::uint32_t miss = slots_[i].miss;
  SlotList& waiters = misses_.waiters(miss);
  while (!waiters.empty()) {
    const std::uint32_t waiter = waiters.pop(slots_);
    translate::Translation& process = slots_[waiter].process;
    if (slots_[i].has_result && translate::serves(slots_[i].result, process.ask().key.is_write))
      process.hit(slots_[i].result);
    advance(waiter, now);
  }
  misses_.close(miss);
  slots_[i].miss = kNoSlot;
  if (stalled_.empty()) return;
  const std::uint32_t next = stalled_.pop(slots_);
  if (const std::uint32_t entry = misses_.find(miss_key(slots_[next].process.ask().key)); entry != kNoSlot) {
    stats_.iotlb.waiting.leave(now);
    ++stats_.iotlb.merged;
    slots_[next].state = SlotState::kMerged;
    misses_.waiters(entry).push(slots_, next);
    return;
  }
  start_miss(next, now);
}

/// A request reads an MSI PTE and needs no page table: a walker does that, too.
void Engine::wait_to_read(std::uint32_t i) {
  slots_[i].walked = true;
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
        slot.result = *entry;
        slot.has_result = params_.miss_table.hand_over;
        slot.process.hit(slot.result);
        close_miss(i, now);
        advance(i, now);
        continue;
      }
    ++stats_.walks.started;
    stats_.walks.active.enter(now);
    ++walkers_busy_;
    slot.state = SlotState::kWalk;
    slot.walk_start = now;
    slot.walk_reads = 0;
    if (missed) {
      ++stats_.iotlb.walks;
      slot.process.miss();
    }
    advance(i, now);
  }
  return moved;
}

void Engine::end_walk(std::uint32_t i, bool ok, base::Cycle now) {
  Slot& slot = slots_[i];
  WalkStats& stats = stats_.walks;
  ++(ok ? stats.ended_ok : stats.ended_fault);
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

void Engine::fill_translation(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  const std::uint64_t page = base::align_down(ask.key.iova, 1ULL << ask.entry.size_log2);
  if (overtaken(slot, [&](const auto& invalidation) {
        return selects_contexts(invalidation, slot) || translate::selects(invalidation, ask.key.tag, page, ask.entry);
      })) {
    ++stats_.iotlb.overtaken;
  } else {
    if (keeps_what_it_finds(slot)) iotlb_.fill(ask.key, ask.entry);
    slot.result = ask.entry;
    slot.has_result = params_.miss_table.hand_over;
  }
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
  stats_.msi_cache.invalidated += msi_cache_.remove_if(
      [&](const PageKey&, const HeldMsi& held) { return translate::selects(invalidation, held.key); });
  iotlb_.invalidate(invalidation);
  walk_cache_.invalidate(invalidation);
  if (walk_lines_.keeps()) walk_lines_.invalidate(invalidation);
}

}  // namespace iommusim::timing
