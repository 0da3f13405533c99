// SPDX-License-Identifier: Apache-2.0
// Slots that wait for a cycle each, in any order; those of one cycle come in the order in which they were put in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace iommusim::timing {

class DelayQueue {
 public:
  /// At most `capacity` slots wait at once.
  explicit DelayQueue(std::size_t capacity) { heap_.reserve(capacity); }

  void push(base::Cycle at, std::uint32_t slot) {
    heap_.push_back({at, order_++, slot});
    std::push_heap(heap_.begin(), heap_.end());
  }
  bool empty() const { return heap_.empty(); }
  base::Cycle next_event() const { return heap_.empty() ? base::kNever : heap_.front().at; }
  bool ready(base::Cycle now) const { return next_event() <= now; }
  std::uint32_t take() {
    std::pop_heap(heap_.begin(), heap_.end());
    const std::uint32_t slot = heap_.back().slot;
    heap_.pop_back();
    return slot;
  }

 private:
  struct Item {
    base::Cycle at;
    std::uint64_t order;
    std::uint32_t slot;
    /// The heap's front is the greatest: the earliest.
    bool operator<(const Item& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  std::vector<Item> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace iommusim::timing
