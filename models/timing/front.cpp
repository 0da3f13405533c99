// SPDX-License-Identifier: Apache-2.0
// The front of the pipeline: room for requests, and what is looked up before the IOTLB is: the register of each port's
// last page, and its micro TLB. A request that comes while another of the same port and page is being looked up, or
// walked for, follows it: one look-up for both.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::buffer_write(std::uint32_t bytes, base::Cycle now) {
  write_bytes_ += bytes;
  stats_.requests.write_bytes.set(now, write_bytes_);
}

void Engine::unbuffer_write(std::uint32_t bytes, base::Cycle now) {
  write_bytes_ -= bytes;
  stats_.requests.write_bytes.set(now, write_bytes_);
}

/// Model: the answer is a completer abort, and no record tells of it, since nothing was translated.
void Engine::drop(std::uint64_t cookie, base::Cycle now) {
  ++stats_.requests.accepted;
  ++stats_.requests.dropped;
  Finished finished;
  finished.cookie = cookie;
  finished.outcome.response = translate::Response::kCompleterAbort;
  finished.accepted = finished.released = finished.done = now;
  finished_.push(finished);
}

/// A request of the engine itself has no port.
void Engine::lookup_translation(std::uint32_t i, base::Cycle now) {
  slots_[i].state = SlotState::kTranslationLookup;
  if (params_.ingress.page_register && !is_own(i) && meets_register(i, now)) return;
  start_translation_lookup(i, now);
}

void Engine::start_translation_lookup(std::uint32_t i, base::Cycle now) {
  const bool together = together_with_last_lookup(slots_[i], now);
  if (!micro_tlbs_.empty() && !is_own(i)) {
    if (together) return end_micro_lookup(i, now);
    return micro_tlbs_[slots_[i].port].stage.start(now, i);
  }
  if (together) return end_translation_lookup(i, now);
  translation_stage_.start(now, i);
}

void Engine::end_micro_lookup(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  if (const auto* const entry = micro_tlbs_[slot.port].tlb.probe(slot.process.ask().key).entry)
    return translation_found(i, *entry, now);
  if (together_with_last_lookup(slot, now)) return end_translation_lookup(i, now);
  translation_stage_.start(now, i);
}

/// A look-up found the entry: it serves the request, and those that follow it.
void Engine::translation_found(std::uint32_t i, const translate::TranslationEntry& found, base::Cycle now) {
  slots_[i].process.hit(found);
  slots_[i].timeline.hit();
  if (!params_.ingress.page_register || is_own(i)) return advance(i, now);
  const translate::TranslationEntry entry = found;
  PageRegister& last = page_registers_[slots_[i].port];
  if (last.looking == i) {
    last.entry = entry;
    last.has_entry = true;
  }
  SlotList followers = take_followers(i);
  advance(i, now);
  while (!followers.empty()) {
    const std::uint32_t follower = followers.pop(slots_);
    translate::Translation& process = slots_[follower].process;
    if (!translate::serves(entry, process.ask().key.is_write)) {
      start_translation_lookup(follower, now);
      continue;
    }
    process.hit(entry);
    slots_[follower].timeline.hit();
    advance(follower, now);
  }
}

/// A look-up missed and what to do about it is settled: those that follow wait for the walk, or look for themselves.
void Engine::release_followers(std::uint32_t i, base::Cycle now) {
  if (!params_.ingress.page_register || is_own(i)) return;
  SlotList followers = take_followers(i);
  while (!followers.empty()) {
    const std::uint32_t follower = followers.pop(slots_);
    if (!join_walk(follower)) start_translation_lookup(follower, now);
  }
}

SlotList Engine::take_followers(std::uint32_t i) {
  PageRegister& last = page_registers_[slots_[i].port];
  if (last.looking == i) last.looking = kNoSlot;
  const SlotList followers = followers_[i];
  followers_[i] = {};
  return followers;
}

bool Engine::join_walk(std::uint32_t i) {
  Slot& slot = slots_[i];
  const std::uint32_t entry = misses_.find(miss_key(slot.process.ask().key));
  if (entry == kNoSlot) return false;
  note_miss(slot);
  slot.state = SlotState::kMerged;
  slot.timeline.found = record::Found::kMerged;
  misses_.waiters(entry).push(slots_, i);
  return true;
}

/// true: the register served the request, or knows for whom it waits.
bool Engine::meets_register(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  PageRegister& last = page_registers_[slot.port];
  const translate::TranslationKey& key = slot.process.ask().key;
  const PageKey page = miss_key(key);
  if (last.used && last.page == page) {
    if (last.has_entry && translate::serves(last.entry, key.is_write)) {
      ++stats_.requests.register_hits;
      slot.process.hit(translate::TranslationEntry(last.entry));
      slot.timeline.hit();
      advance(i, now);
      return true;
    }
    if (last.looking != kNoSlot) {
      ++stats_.requests.register_joined;
      followers_[last.looking].push(slots_, i);
      return true;
    }
    if (join_walk(i)) {
      ++stats_.requests.register_joined;
      return true;
    }
  }
  last = {page, {}, i, true, false};
  return false;
}

/// The walk of this slot filled the IOTLB: what lies in front of it learns the translation, too.
void Engine::fill_front(const Slot& slot, const translate::TranslationKey& key,
                        const translate::TranslationEntry& entry) {
  if (!micro_tlbs_.empty()) micro_tlbs_[slot.port].tlb.fill(key, entry);
  if (!params_.ingress.page_register) return;
  PageRegister& last = page_registers_[slot.port];
  if (!last.used || !(last.page == miss_key(key))) return;
  last.entry = entry;
  last.has_entry = true;
}

void Engine::invalidate_front(const translate::Invalidation& invalidation) {
  for (MicroTlb& micro : micro_tlbs_) micro.tlb.invalidate(invalidation);
  for (PageRegister& last : page_registers_) last.has_entry = false;
}

}  // namespace iommusim::timing
