// SPDX-License-Identifier: Apache-2.0
// The look-ups under way in one structure: at most `ports` start in a cycle, each takes `latency` cycles, and they end
// in the order in which they started.
#pragma once

#include "base/ring.h"
#include "base/time.h"

namespace iommusim::timing {

class LookupStage {
 public:
  LookupStage(std::size_t capacity, std::uint32_t latency, std::uint32_t ports)
      : queue_(capacity), latency_(latency), ports_(ports) {}

  void start(base::Cycle now, std::uint32_t slot) {
    if (now > start_cycle_) {
      start_cycle_ = now;
      started_ = 0;
    } else if (started_ == ports_) {
      ++start_cycle_;
      started_ = 0;
    }
    ++started_;
    queue_.push({start_cycle_ + latency_, slot});
  }
  /// When the oldest look-up ends; kNever without one.
  base::Cycle next_event() const { return queue_.empty() ? base::kNever : queue_.front().ready; }
  bool ready(base::Cycle now) const { return !queue_.empty() && queue_.front().ready <= now; }
  std::uint32_t take() {
    const std::uint32_t slot = queue_.front().slot;
    queue_.pop();
    return slot;
  }
  std::size_t size() const { return queue_.size(); }

 private:
  struct Item {
    base::Cycle ready = 0;
    std::uint32_t slot = 0;
  };
  base::Ring<Item> queue_;
  base::Cycle start_cycle_ = 0;
  std::uint32_t started_ = 0;
  std::uint32_t latency_, ports_;
};

}  // namespace iommusim::timing
