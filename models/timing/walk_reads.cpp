// SPDX-License-Identifier: Apache-2.0
// How a walk reads a page-table entry when it reads and keeps whole lines, or waits for the reads of others.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::read_entry(std::uint32_t i, base::Cycle now) {
  const translate::Ask& ask = slots_[i].process.ask();
  if (walk_lines_.keeps() && walk_lines_.fetches(ask.memory.level)) return line_stage_.start(now, i);
  request_entry(i);
}

void Engine::end_line_lookup(std::uint32_t i, base::Cycle now) {
  const translate::Ask& ask = slots_[i].process.ask();
  if (const auto* const words = walk_lines_.probe(slots_[i].process.entry_key(), ask.memory.address)) {
    if (try_shared(i, word_in_line(*words, ask.memory.address, ask.memory.bytes))) {
      walk_lines_.used();
      return advance(i, now);
    }
    walk_lines_.refused();
  }
  request_entry(i);
}

/// Waits for a read that brings the entry, or issues one.
void Engine::request_entry(std::uint32_t i) {
  const Slot& slot = slots_[i];
  const translate::MemoryAsk& ask = slot.process.ask().memory;
  if (params_.memory_port.merge_reads)
    if (const std::uint32_t owner = walk_reads_.find(ask.address, slot.picked_at_invalidation); owner != kNoSlot) {
      ++stats_.memory_port.merged;
      walk_reads_.waiters(owner).push(slots_, i);
      return;
    }
  issue_read(i, walk_lines_.fetches(ask.level));
}

void Engine::issue_read(std::uint32_t i, bool line) {
  translate::MemoryAsk ask = slots_[i].process.ask().memory;
  if (line) {
    ask.address = base::align_down(ask.address, std::uint64_t{kLineBytes});
    ask.bytes = kLineBytes;
  }
  ++slots_[i].walk_reads;
  walk_reads_.open(i, ask.address, ask.bytes, invalidations_.count());
  memory_.read(i, ask);
}

/// The entry at hand is a copy, kept or shared: it serves unless the request would end in a fault for it. IOMMU 2.8
/// lets no invalid entry be remembered, so only memory itself may say that one is.
bool Engine::try_shared(std::uint32_t i, std::uint64_t word) {
  translate::Translation& process = slots_[i].process;
  before_shared_ = process;
  process.memory({translate::MemoryStatus::kOk, {word}});
  if (process.ask().kind != translate::AskKind::kDone || process.outcome().fault.cause == 0) return true;
  process = before_shared_;
  return false;
}

/// A line that could not be read tells nothing of the one entry that was wanted: that is read alone.
void Engine::answer_read(const MemoryPort::Answer& answer, base::Cycle now) {
  WalkReads::Read read = walk_reads_.close(answer.tag);
  const bool ok = answer.data.status == translate::MemoryStatus::kOk;
  const bool is_line = read.bytes == kLineBytes;
  if (is_line && !ok) {
    ++stats_.walk_lines.failed;
    issue_read(answer.tag, false);
  } else {
    MemoryPort::Answer own = answer;
    if (is_line) {
      const translate::Ask& ask = slots_[answer.tag].process.ask();
      keep_line(answer.tag, read.address, answer.data.data);
      own.data.data = {word_in_line(answer.data.data, ask.memory.address, ask.memory.bytes)};
    }
    take_answer(own, now);
  }
  while (!read.waiters.empty()) {
    const std::uint32_t waiter = read.waiters.pop(slots_);
    const translate::MemoryAsk ask = slots_[waiter].process.ask().memory;
    const std::uint64_t word = is_line ? word_in_line(answer.data.data, ask.address, ask.bytes) : answer.data.data[0];
    if (ok && try_shared(waiter, word)) {
      advance(waiter, now);
      continue;
    }
    ++stats_.memory_port.merged_in_vain;
    issue_read(waiter, walk_lines_.fetches(ask.level) && ok);
  }
}

void Engine::keep_line(std::uint32_t i, std::uint64_t address, const WalkLines::Words& words) {
  const Slot& slot = slots_[i];
  if (!walk_lines_.keeps()) return;
  const translate::WalkKey key = slot.process.entry_key();
  if (overtaken(slot, [&](const auto& invalidation) {
        return selects_contexts(invalidation, slot) || translate::selects_line(invalidation, key);
      }))
    ++stats_.walk_lines.overtaken;
  else
    walk_lines_.fill(key, address, words);
}

/// The line keeps up with an update of one of its entries, unless an invalidation came since.
void Engine::entry_updated(const Slot& slot, const translate::MemoryAnswer& answer) {
  const translate::Ask& ask = slot.process.ask();
  const bool entry = ask.memory.structure == translate::Structure::kFirstStage ||
                     ask.memory.structure == translate::Structure::kSecondStage ||
                     ask.memory.structure == translate::Structure::kSecondStageImplicit;
  if (!entry || answer.status != translate::MemoryStatus::kOk || answer.data[0] != ask.memory.data[0]) return;
  const translate::WalkKey key = slot.process.entry_key();
  if (!overtaken(slot, [&](const auto& invalidation) { return translate::selects_line(invalidation, key); }))
    walk_lines_.updated(key, ask.memory);
}

}  // namespace iommusim::timing
