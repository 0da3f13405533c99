// SPDX-License-Identifier: Apache-2.0
// A queue of values that become visible at a time of their own, earliest first; equal times keep the order of pushing.
// Fixed capacity. Times come almost in order, so an insertion moves few or none.
#pragma once

#include "base/ring.h"
#include "base/time.h"

namespace iommusim::bus {

template <class T>
class TimedRing {
 public:
  explicit TimedRing(std::size_t capacity) : ring_(capacity) {}

  void push(base::Picoseconds at, const T& value) {
    ring_.push({at, value});
    for (std::size_t i = ring_.size() - 1; i > 0 && ring_.at(i - 1).at > at; --i)
      std::swap(ring_.at(i - 1), ring_.at(i));
  }
  bool due(base::Picoseconds now) const { return !ring_.empty() && ring_.front().at <= now; }
  /// When due() becomes true; kNever: empty.
  base::Picoseconds next() const { return ring_.empty() ? base::kNever : ring_.front().at; }
  std::size_t size() const { return ring_.size(); }
  bool full() const { return ring_.full(); }
  T pop() {
    const T value = ring_.front().value;
    ring_.pop();
    return value;
  }

 private:
  struct Entry {
    base::Picoseconds at = 0;
    T value{};
  };
  base::Ring<Entry> ring_;
};

}  // namespace iommusim::bus
