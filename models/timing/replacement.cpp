// SPDX-License-Identifier: Apache-2.0
#include "timing/replacement.h"

#include <string>

#include "base/bits.h"
#include "base/error.h"

namespace iommusim::timing {

namespace {

/// Exact LRU: a doubly linked list of ways per set, most recent first. All operations O(1).
class Lru final : public Replacement {
 public:
  Lru(std::uint32_t sets, std::uint32_t ways)
      : ways_(ways), links_(std::size_t{sets} * ways), heads_(sets), tails_(sets) {
    for (std::uint32_t set = 0; set < sets; ++set) {
      heads_[set] = 0;
      tails_[set] = ways - 1;
      for (std::uint32_t way = 0; way < ways; ++way)
        link(set, way) = {way == 0 ? kNone : way - 1, way + 1 == ways ? kNone : way + 1};
    }
  }
  void hit(std::uint32_t set, std::uint32_t way) override {
    if (heads_[set] == way) return;
    Link& moved = link(set, way);
    link(set, moved.previous).next = moved.next;
    if (moved.next == kNone)
      tails_[set] = moved.previous;
    else
      link(set, moved.next).previous = moved.previous;
    link(set, heads_[set]).previous = way;
    moved = {kNone, heads_[set]};
    heads_[set] = way;
  }
  void fill(std::uint32_t set, std::uint32_t way) override { hit(set, way); }
  std::uint32_t victim(std::uint32_t set) override { return tails_[set]; }

 private:
  static constexpr std::uint32_t kNone = ~0U;
  struct Link {
    std::uint32_t previous, next;
  };
  Link& link(std::uint32_t set, std::uint32_t way) { return links_[std::size_t{set} * ways_ + way]; }
  std::uint32_t ways_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> heads_, tails_;
};

/// One bit a node of a complete binary tree over the ways; the bit points to the half to evict from.
class TreePlru final : public Replacement {
 public:
  TreePlru(std::uint32_t sets, std::uint32_t ways) : ways_(ways), bits_(std::size_t{sets} * ways, false) {
    if (!base::is_power_of_two(ways))
      throw base::InputError("policy plru needs a power of two of ways, not " + std::to_string(ways));
  }
  void hit(std::uint32_t set, std::uint32_t way) override {
    std::uint32_t node = 1;
    for (std::uint32_t half = ways_ / 2; half != 0; half /= 2) {
      const bool upper = (way & half) != 0;
      bit(set, node) = !upper;
      node = 2 * node + (upper ? 1 : 0);
    }
  }
  void fill(std::uint32_t set, std::uint32_t way) override { hit(set, way); }
  std::uint32_t victim(std::uint32_t set) override {
    std::uint32_t node = 1;
    while (node < ways_) node = 2 * node + (bit(set, node) ? 1 : 0);
    return node - ways_;
  }

 private:
  std::vector<bool>::reference bit(std::uint32_t set, std::uint32_t node) {
    return bits_[std::size_t{set} * ways_ + node];
  }
  std::uint32_t ways_;
  std::vector<bool> bits_;
};

class Fifo final : public Replacement {
 public:
  Fifo(std::uint32_t sets, std::uint32_t ways) : order_(std::size_t{sets} * ways), ways_(ways), clock_(0) {}
  void hit(std::uint32_t, std::uint32_t) override {}
  void fill(std::uint32_t set, std::uint32_t way) override { order_[std::size_t{set} * ways_ + way] = ++clock_; }
  std::uint32_t victim(std::uint32_t set) override {
    std::uint32_t oldest = 0;
    for (std::uint32_t way = 1; way < ways_; ++way)
      if (order_[std::size_t{set} * ways_ + way] < order_[std::size_t{set} * ways_ + oldest]) oldest = way;
    return oldest;
  }

 private:
  std::vector<std::uint64_t> order_;
  std::uint32_t ways_;
  std::uint64_t clock_;
};

class RandomWay final : public Replacement {
 public:
  RandomWay(std::uint32_t ways, std::uint64_t seed) : ways_(ways), random_(seed) {}
  void hit(std::uint32_t, std::uint32_t) override {}
  void fill(std::uint32_t, std::uint32_t) override {}
  std::uint32_t victim(std::uint32_t) override { return static_cast<std::uint32_t>(random_.below(ways_)); }

 private:
  std::uint32_t ways_;
  base::Random random_;
};

}  // namespace

std::unique_ptr<Replacement> make_replacement(Policy policy, std::uint32_t sets, std::uint32_t ways,
                                              std::uint64_t seed) {
  switch (policy) {
    case Policy::kLru:
      return std::make_unique<Lru>(sets, ways);
    case Policy::kTreePlru:
      return std::make_unique<TreePlru>(sets, ways);
    case Policy::kFifo:
      return std::make_unique<Fifo>(sets, ways);
    case Policy::kRandom:
      return std::make_unique<RandomWay>(ways, seed);
  }
  base::contradiction("unknown replacement policy");
}

}  // namespace iommusim::timing
