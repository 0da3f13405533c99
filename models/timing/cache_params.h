// SPDX-License-Identifier: Apache-2.0
// The shape that all caches of the IOMMU share.
#pragma once

#include <cstdint>

#include "base/bits.h"
#include "params/describe.h"
#include "timing/replacement.h"

namespace iommusim::timing {

using params::Range;
using params::Unit;

enum class Index : std::uint8_t { kLow, kFolded, kFoldedSpace };
inline constexpr base::Choice<Index> kIndexes[] = {
    {"low", "the low bits of the page number, or of the device or process number", Index::kLow},
    {"folded", "all bits of that number, folded upon each other by XOR", Index::kFolded},
    {"folded_space", "the same, and the address space too: equal pages of two spaces lie in different sets",
     Index::kFoldedSpace},
};

/// One cache-like structure.
struct CacheParams {
  std::uint32_t entries = 64;
  std::uint32_t ways = 0;
  Policy policy = Policy::kLru;
  std::uint32_t lookup_cycles = 1;
  std::uint32_t ports = 1;
  bool prefer_free = true;
  Index index = Index::kLow;

  template <class V>
  static constexpr void describe(V&& v) {
    v("entries", &CacheParams::entries, Unit::kCount, Range{0, 1 << 20}, "entries held; 0 switches the structure off");
    v("ways", &CacheParams::ways, Unit::kCount, Range{0, 1 << 20},
      "associativity, a divisor of entries; 0 is fully associative");
    v("policy", &CacheParams::policy, kReplacements, "which entry of a full set gives way");
    v("lookup_cycles", &CacheParams::lookup_cycles, Unit::kCycle, Range{0, 64},
      "from the start of a look-up to hit or miss");
    v("ports", &CacheParams::ports, Unit::kCount, Range{1, 16}, "look-ups that may start in one cycle");
    v("prefer_free", &CacheParams::prefer_free,
      "a fill takes an invalid way, if there is one; false: the one that the policy names, valid or not");
    v("index", &CacheParams::index, kIndexes, "how the set of a key is chosen");
  }

  std::uint32_t resolved_ways() const { return ways == 0 ? entries : ways; }
  /// What is wrong with parameters that are each in range; nullptr: nothing.
  const char* contradiction() const {
    if (entries == 0) return nullptr;
    if (entries % resolved_ways() != 0) return "ways must divide entries";
    if (policy == Policy::kTreePlru && !base::is_power_of_two(resolved_ways()))
      return "policy plru needs a power of two of ways";
    return nullptr;
  }
};

}  // namespace iommusim::timing
