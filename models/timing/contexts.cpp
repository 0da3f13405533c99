// SPDX-License-Identifier: Apache-2.0
// The way of a request to its device context and its process context, and the directory walkers that both share.
#include "timing/engine.h"

namespace iommusim::timing {

namespace {

ContextKey key_of(const translate::Ask& ask) {
  return ask.kind == translate::AskKind::kLookupDevice || ask.kind == translate::AskKind::kFillDevice
             ? ContextKey::of_device(ask.device)
             : ContextKey::of_process(ask.device, ask.process);
}

template <class Context>
base::Cycle& time_of_context(Timeline& timeline) {
  return std::is_same_v<Context, spec::DeviceContext> ? timeline.device_context : timeline.process_context;
}

}  // namespace

bool Engine::step_context_lookups(base::Cycle now) {
  bool moved = false;
  for (; devices_.stage.ready(now); moved = true) end_context_lookup(devices_, devices_.stage.take(), now);
  for (; processes_.stage.ready(now); moved = true) end_context_lookup(processes_, processes_.stage.take(), now);
  return moved;
}

template <class Context>
void Engine::end_context_lookup(ContextLookup<Context>& contexts, std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  slot.looked_up_at = now;
  const ContextKey key = key_of(slot.process.ask());
  if (const Context* const context = contexts.probe(key)) {
    time_of_context<Context>(slot.timeline) = now;
    slot.process.hit(*context);
    advance(i, now);
    return;
  }
  note_miss(slot);
  if (const std::uint32_t entry = contexts.misses.find(key); entry != kNoSlot) {
    ++contexts.stats.merged;
    slot.state = contexts.states.merged;
    contexts.misses.waiters(entry).push(slots_, i);
    return;
  }
  slot.miss = contexts.misses.open(key);
  slot.state = contexts.states.walker_wait;
  contexts.stats.waiting.enter(now);
  directory_walker_queue_.push(slots_, i);
}

bool Engine::step_directory_grants(base::Cycle now) {
  bool moved = false;
  for (; directory_walkers_busy_ < params_.walkers.directory_count && !directory_walker_queue_.empty(); moved = true) {
    const std::uint32_t i = directory_walker_queue_.pop(slots_);
    if (slots_[i].state == SlotState::kDeviceWalkerWait)
      start_context_walk(devices_, i, now);
    else
      start_context_walk(processes_, i, now);
  }
  return moved;
}

template <class Context>
void Engine::start_context_walk(ContextLookup<Context>& contexts, std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  contexts.stats.waiting.leave(now);
  ++contexts.stats.walks;
  ++contexts.walks.started;
  contexts.walks.active.enter(now);
  ++directory_walkers_busy_;
  slot.state = contexts.states.walk;
  slot.walk_start = now;
  slot.walk_reads = 0;
  if (monitor_.present()) count_event(contexts.walk_event, slot);
  slot.process.miss();
  advance(i, now);
}

void Engine::end_context_walk(std::uint32_t i, bool ok, base::Cycle now) {
  if (slots_[i].state == SlotState::kDeviceWalk)
    end_walk_of(devices_, i, ok, now);
  else
    end_walk_of(processes_, i, ok, now);
}

/// Those who waited look again.
template <class Context>
void Engine::end_walk_of(ContextLookup<Context>& contexts, std::uint32_t i, bool ok, base::Cycle now) {
  Slot& slot = slots_[i];
  WalkStats& stats = contexts.walks;
  ++(ok ? stats.ended_ok : stats.ended_fault);
  slot.timeline.reads += slot.walk_reads;
  stats.reads.add(slot.walk_reads);
  stats.cycles.add(now - slot.walk_start);
  stats.active.leave(now);
  --directory_walkers_busy_;
  SlotList& waiters = contexts.misses.waiters(slot.miss);
  while (!waiters.empty()) advance(waiters.pop(slots_), now);
  contexts.misses.close(slot.miss);
  slot.miss = kNoSlot;
  slot.walk_reads = 0;
}

void Engine::fill_device(std::uint32_t i, base::Cycle now) {
  const Slot& slot = slots_[i];
  const base::DeviceId device = slot.process.request().device;
  if (overtaken(slot, [&](const auto& invalidation) { return translate::selects_device(invalidation, device); }))
    ++stats_.ddt_cache.overtaken;
  else
    devices_.fill(key_of(slot.process.ask()), *slot.process.ask().device_context);
  slots_[i].timeline.device_context = now;
  leave_context_walk(i, now);
}

void Engine::fill_process(std::uint32_t i, base::Cycle now) {
  const Slot& slot = slots_[i];
  if (overtaken(slot, [&](const auto& invalidation) { return selects_contexts(invalidation, slot); }))
    ++stats_.pdt_cache.overtaken;
  else
    processes_.fill(key_of(slot.process.ask()), *slot.process.ask().process_context);
  slots_[i].timeline.process_context = now;
  leave_context_walk(i, now);
}

void Engine::leave_context_walk(std::uint32_t i, base::Cycle now) {
  end_context_walk(i, true, now);
  slots_[i].state = SlotState::kTranslationLookup;
}

void Engine::lookup_directory(std::uint32_t i) {
  translate::Translation& process = slots_[i].process;
  const translate::DirectoryKey& key = process.ask().directory;
  if (!directory_cache_.enabled()) return process.miss();
  CacheStats& stats = stats_.directory_cache;
  ++stats.lookups;
  for (unsigned level = 1; level <= 2; ++level)
    if (auto* const entry = directory_cache_.find(ContextKey::of_directory(key, level))) {
      ++stats.hits;
      directory_cache_.touch(*entry);
      return process.hit(entry->value.entry);
    }
  ++stats.misses;
  process.miss();
}

namespace {

/// What `selects` says of directory entries, and more: an entry of a process directory may hold an address that a
/// second stage translated, so IOTINVAL.GVMA takes it along. Model: of which VM it is, is not remembered.
bool selects_directory(const translate::Invalidation& invalidation, const translate::DirectoryKey& key) {
  return translate::selects(invalidation, key) ||
         (key.process_directory && invalidation.kind == translate::Invalidation::Kind::kGvma);
}

}  // namespace

void Engine::fill_directory(std::uint32_t i) {
  Slot& slot = slots_[i];
  const translate::DirectoryKey& key = slot.process.ask().directory;
  const base::DeviceId device = slot.process.request().device;
  if (overtaken(slot, [&](const auto& invalidation) {
        return translate::selects_device(invalidation, device) || selects_directory(invalidation, key);
      })) {
    ++stats_.directory_cache.overtaken;
  } else if (directory_cache_.enabled()) {
    if (directory_cache_.insert(ContextKey::of_directory(key, key.level), {key, slot.process.ask().directory_entry},
                                [](const auto&) {}))
      ++stats_.directory_cache.evictions;
    ++stats_.directory_cache.fills;
  }
  slot.process.resume();
}

/// Whether `invalidation` takes the contexts that this request uses. A request without a process_id may use that of
/// process 0 (IOMMU 2.1.3.1: DPE).
bool Engine::selects_contexts(const translate::Invalidation& invalidation, const Slot& slot) const {
  const translate::Request& request = slot.process.request();
  const base::ProcessId process = request.process_valid ? request.process : base::ProcessId(0);
  return translate::selects_process(invalidation, request.device, process);
}

void Engine::invalidate_contexts(const translate::Invalidation& invalidation) {
  devices_.invalidate([&](const ContextKey& key) {
    return translate::selects_device(invalidation, base::DeviceId(static_cast<std::uint32_t>(key.id)));
  });
  processes_.invalidate([&](const ContextKey& key) {
    return translate::selects_process(invalidation, key.device_of_process(), key.process());
  });
  stats_.directory_cache.invalidated += directory_cache_.remove_if(
      [&](const ContextKey&, const HeldDirectory& held) { return selects_directory(invalidation, held.key); });
}

}  // namespace iommusim::timing
