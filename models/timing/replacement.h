// SPDX-License-Identifier: Apache-2.0
// Replacement policies of a set-associative structure. A policy sees ways by number and keeps its own state; the cache
// tells it what happened. Adding one: a class here, a row in kReplacements, a test.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/choice.h"
#include "base/random.h"

namespace iommusim::timing {

enum class Policy : std::uint8_t { kLru, kTreePlru, kFifo, kRandom };

inline constexpr base::Choice<Policy> kReplacements[] = {
    {"lru", "evict the least recently used way", Policy::kLru},
    {"plru", "tree pseudo-LRU, one bit per node of a binary tree", Policy::kTreePlru},
    {"fifo", "evict the way that was filled first", Policy::kFifo},
    {"random", "uniform choice, seeded by the timing seed", Policy::kRandom},
};

/// Contract: `set` < sets, `way` < ways as given to the maker; victim() is asked only when every way of the set is
/// valid (the cache prefers an invalid way), and does not change the state.
class Replacement {
 public:
  virtual ~Replacement() = default;
  virtual void hit(std::uint32_t set, std::uint32_t way) = 0;
  virtual void fill(std::uint32_t set, std::uint32_t way) = 0;
  virtual std::uint32_t victim(std::uint32_t set) = 0;
};

/// `ways` of the tree policy must be a power of two (InputError otherwise).
std::unique_ptr<Replacement> make_replacement(Policy policy, std::uint32_t sets, std::uint32_t ways,
                                              std::uint64_t seed);

}  // namespace iommusim::timing
