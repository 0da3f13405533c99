// SPDX-License-Identifier: Apache-2.0
// The reads of page-table entries under way, and the walks that wait for the answer of another's read instead of
// issuing their own. Who waits must have entered the pipeline after the last invalidation before that read: memory
// answered it later than that, so it may not bring back what an invalidation has removed.
#pragma once

#include <vector>

#include "timing/slot.h"

namespace iommusim::timing {

class WalkReads {
 public:
  struct Read {
    std::uint64_t address = 0;
    std::uint64_t since = 0;   ///< invalidations executed when it was asked for
    std::uint32_t bytes = 0;   ///< 0: the slot has none under way
    std::uint32_t active = 0;  ///< its place among those under way
    SlotList waiters{};
  };

  explicit WalkReads(std::size_t slots) : reads_(slots) { active_.reserve(slots); }

  bool under_way(std::uint32_t slot) const { return reads_[slot].bytes != 0; }
  void open(std::uint32_t slot, std::uint64_t address, std::uint32_t bytes, std::uint64_t invalidations) {
    reads_[slot] = {address, invalidations, bytes, static_cast<std::uint32_t>(active_.size()), {}};
    active_.push_back(slot);
  }
  /// The slot whose read brings `address` and may be waited for by a request that entered at that invalidation.
  std::uint32_t find(std::uint64_t address, std::uint64_t picked_at_invalidation) const {
    for (const std::uint32_t slot : active_)
      if (address - reads_[slot].address < reads_[slot].bytes && reads_[slot].since >= picked_at_invalidation)
        return slot;
    return kNoSlot;
  }
  SlotList& waiters(std::uint32_t slot) { return reads_[slot].waiters; }
  /// It is answered; the caller sees to those who waited.
  Read close(std::uint32_t slot) {
    const Read read = reads_[slot];
    reads_[slot].bytes = 0;
    active_[read.active] = active_.back();
    reads_[active_[read.active]].active = read.active;
    active_.pop_back();
    return read;
  }

 private:
  std::vector<Read> reads_;  // by slot
  std::vector<std::uint32_t> active_;
};

}  // namespace iommusim::timing
