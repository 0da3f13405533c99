// SPDX-License-Identifier: Apache-2.0
// A range of addresses with both ends included, so that the last address of the 64-bit space is nothing special.
#pragma once

#include <cstdint>

namespace iommusim::pagetable {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kMaxAddress = ~0ULL;

struct Interval {
  std::uint64_t start = 0;
  std::uint64_t last = 0;

  constexpr bool contains(std::uint64_t address) const { return start <= address && address <= last; }
  constexpr bool contains(const Interval& other) const { return start <= other.start && other.last <= last; }
  constexpr bool overlaps(const Interval& other) const { return start <= other.last && other.start <= last; }
  /// Wraps to 0 for the whole space.
  constexpr std::uint64_t length() const { return last - start + 1; }
  friend constexpr bool operator==(const Interval& a, const Interval& b) {
    return a.start == b.start && a.last == b.last;
  }
};

}  // namespace iommusim::pagetable
