// SPDX-License-Identifier: Apache-2.0
// The way of a request through directory cache, IOTLB, miss table and walkers.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::end_device_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  const DeviceKey key{slot.process.ask().device.value};
  MissingCacheStats& stats = stats_.ddt_cache;
  ++stats.lookups;
  if (auto* const entry = ddt_cache_.find(key)) {
    ++stats.hits;
    ddt_cache_.touch(*entry);
    slot.process.hit(entry->value);
    advance(i, now);
    return;
  }
  ++stats.misses;
  slot.walked = true;
  if (const std::uint32_t entry = device_misses_.find(key); entry != kNoSlot) {
    ++stats.merged;
    slot.state = SlotState::kDeviceMerged;
    device_misses_.waiters(entry).push(slots_, i);
    return;
  }
  slot.miss = device_misses_.open(key);
  slot.state = SlotState::kDeviceWalkerWait;
  stats.waiting.enter(now);
  device_walker_queue_.push(slots_, i);
}

void Engine::end_device_walk(std::uint32_t i, bool ok, base::Cycle now) {
  Slot& slot = slots_[i];
  WalkStats& stats = stats_.directory_walks;
  ++(ok ? stats.ended_ok : stats.ended_fault);
  stats.reads.add(slot.walk_reads);
  stats.cycles.add(now - slot.walk_start);
  stats.active.leave(now);
  --directory_walkers_busy_;
  SlotList& waiters = device_misses_.waiters(slot.miss);
  while (!waiters.empty()) advance(waiters.pop(slots_), now);
  device_misses_.close(slot.miss);
  slot.walk_reads = 0;
}

void Engine::fill_device(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  if (device_overtaken(slot)) {
    ++stats_.ddt_cache.overtaken;
  } else if (ddt_cache_.enabled()) {
    if (ddt_cache_.insert({slot.process.ask().device.value}, *slot.process.ask().device_context, [](const auto&) {}))
      ++stats_.ddt_cache.evictions;
    ++stats_.ddt_cache.fills;
  }
  end_device_walk(i, true, now);
  slot.state = SlotState::kTranslationLookup;
  slot.process.resume();
}

void Engine::lookup_directory(std::uint32_t i) {
  translate::Translation& process = slots_[i].process;
  const translate::DirectoryKey& key = process.ask().directory;
  if (!directory_cache_.enabled() || key.process_directory || key.leaf_bits == 0) return process.miss();
  CacheStats& stats = stats_.directory_cache;
  ++stats.lookups;
  for (unsigned level = 1; level <= 2; ++level)
    if (auto* const entry = directory_cache_.find({directory_prefix(key, level)})) {
      ++stats.hits;
      directory_cache_.touch(*entry);
      return process.hit(entry->value);
    }
  ++stats.misses;
  process.miss();
}

void Engine::fill_directory(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::DirectoryKey& key = slot.process.ask().directory;
  if (device_overtaken(slot)) {
    ++stats_.directory_cache.overtaken;
  } else if (directory_cache_.enabled() && !key.process_directory && key.leaf_bits != 0) {
    if (directory_cache_.insert({directory_prefix(key, key.level)}, slot.process.ask().directory_entry,
                                [](const auto&) {}))
      ++stats_.directory_cache.evictions;
    ++stats_.directory_cache.fills;
  }
  slot.process.resume();
}

void Engine::end_translation_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  if (const auto* const entry = iotlb_.probe(slot.process.ask().key)) {
    slot.process.hit(*entry);
    advance(i, now);
    return;
  }
  slot.walked = true;
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

/// The owner has what it wanted: those who waited look again, one who found the table full gets the room.
void Engine::close_miss(std::uint32_t i, base::Cycle now) {
  const std::uint32_t miss = slots_[i].miss;
  SlotList& waiters = misses_.waiters(miss);
  while (!waiters.empty()) advance(waiters.pop(slots_), now);
  misses_.close(miss);
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

bool Engine::step_grants(base::Cycle now) {
  bool moved = false;
  while (directory_walkers_busy_ < params_.walkers.directory_count && !device_walker_queue_.empty()) {
    const std::uint32_t i = device_walker_queue_.pop(slots_);
    Slot& slot = slots_[i];
    stats_.ddt_cache.waiting.leave(now);
    ++stats_.ddt_cache.walks;
    ++stats_.directory_walks.started;
    stats_.directory_walks.active.enter(now);
    ++directory_walkers_busy_;
    slot.state = SlotState::kDeviceWalk;
    slot.walk_start = now;
    slot.walk_reads = 0;
    slot.process.miss();
    advance(i, now);
    moved = true;
  }
  while (walkers_busy_ < params_.walkers.count && !walker_queue_.empty()) {
    const std::uint32_t i = walker_queue_.pop(slots_);
    Slot& slot = slots_[i];
    stats_.iotlb.waiting.leave(now);
    moved = true;
    if (params_.walkers.look_again)
      if (const auto* const entry = iotlb_.look_again(slot.process.ask().key)) {
        ++stats_.iotlb.look_again_hits;
        slot.process.hit(*entry);
        close_miss(i, now);
        advance(i, now);
        continue;
      }
    ++stats_.iotlb.walks;
    ++stats_.walks.started;
    stats_.walks.active.enter(now);
    ++walkers_busy_;
    slot.state = SlotState::kWalk;
    slot.walk_start = now;
    slot.walk_reads = 0;
    slot.process.miss();
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
  close_miss(i, now);
}

/// Whether the device context that this request uses, or is about to cache, was invalidated meanwhile.
bool Engine::device_overtaken(const Slot& slot) const {
  const base::DeviceId device = slot.process.request().device;
  return invalidations_.any_since(slot.picked_at_invalidation, [&](const translate::Invalidation& invalidation) {
    return translate::selects_device(invalidation, device);
  });
}

void Engine::fill_translation(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  const std::uint64_t page = base::align_down(ask.key.iova, 1ULL << ask.entry.size_log2);
  if (device_overtaken(slot) ||
      invalidations_.any_since(slot.picked_at_invalidation, [&](const translate::Invalidation& invalidation) {
        return translate::selects(invalidation, ask.key.tag, page, ask.entry);
      }))
    ++stats_.iotlb.overtaken;
  else
    iotlb_.fill(ask.key, ask.entry);
  slot.process.resume();
}

void Engine::fill_walk(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::Ask& ask = slot.process.ask();
  if (device_overtaken(slot) ||
      invalidations_.any_since(slot.picked_at_invalidation, [&](const translate::Invalidation& invalidation) {
        return translate::selects(invalidation, ask.walk, ask.walk_entry);
      }))
    ++stats_.walk_cache.at(ask.walk.second_stage, ask.walk_entry.level).overtaken;
  else
    walk_cache_.fill(ask.walk, ask.walk_entry);
  slot.process.resume();
}

void Engine::invalidate(const translate::Invalidation& invalidation) {
  invalidations_.add(invalidation);
  using Kind = translate::Invalidation::Kind;
  CommandStats& stats = stats_.commands;
  if (invalidation.kind == Kind::kDdt || invalidation.kind == Kind::kPdt) {
    ++stats.iodir;
    stats_.ddt_cache.invalidated += ddt_cache_.remove_if([&](const DeviceKey& key, const spec::DeviceContext&) {
      return translate::selects_device(invalidation, base::DeviceId(static_cast<std::uint32_t>(key.device)));
    });
    if (translate::selects(invalidation, translate::DirectoryKey{}))  // a command selects all of them or none
      stats_.directory_cache.invalidated += directory_cache_.remove_if([](const auto&, const auto&) { return true; });
    return;
  }
  if (invalidation.address_valid)
    ++stats.iotinval_page;
  else
    ++(invalidation.pscid_valid || invalidation.gscid_valid ? stats.iotinval_space : stats.iotinval_all);
  iotlb_.invalidate(invalidation);
  walk_cache_.invalidate(invalidation);
}

}  // namespace iommusim::timing
