// SPDX-License-Identifier: Apache-2.0
// Packets that wait at one place to go on, in PCIe's order (PCIe 2.4.1): posted writes and messages keep their order;
// a read does not pass a posted packet that came before it; a posted packet may pass reads that cannot go on. On an AXI
// port reads and writes are independent of each other.
#pragma once

#include <cstdint>

#include "tlm/growing_ring.h"

namespace iommusim::bus {

class OrderedQueue {
 public:
  static constexpr std::uint32_t kNone = ~0U;

  void set_independent(bool independent) { independent_ = independent; }
  bool empty() const { return posted_.empty() && others_.empty(); }
  void push(std::uint32_t packet, bool posted) { (posted ? posted_ : others_).push({packet, count_++}); }

  /// The packet that goes next if fits(packet) says that there is room for it; kNone: nothing can.
  template <class Fits>
  std::uint32_t next(Fits&& fits) {
    if (empty()) return kNone;
    const bool posted_first = others_.empty() || (!posted_.empty() && posted_.front().number < others_.front().number);
    GrowingRing<Item>& first = posted_first ? posted_ : others_;
    GrowingRing<Item>& second = posted_first ? others_ : posted_;
    if (fits(first.front().packet)) return first.front().packet;
    if (second.empty() || (posted_first && !independent_)) return kNone;
    return fits(second.front().packet) ? second.front().packet : kNone;
  }
  /// Takes what next() told.
  void pop(bool posted) { (posted ? posted_ : others_).pop(); }

 private:
  struct Item {
    std::uint32_t packet = 0;
    std::uint64_t number = 0;  ///< in order of coming
  };
  GrowingRing<Item> posted_, others_;
  std::uint64_t count_ = 0;
  bool independent_ = false;
};

}  // namespace iommusim::bus
