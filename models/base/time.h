// SPDX-License-Identifier: Apache-2.0
// Simulated time: integer picoseconds everywhere, integer cycles inside a clocked component. A Clock converts; a time
// that falls between two edges belongs to the next edge.
#pragma once

#include <cstdint>
#include <limits>

namespace iommusim::base {

using Picoseconds = std::uint64_t;  ///< wraps after 213 days of simulated time
using Cycle = std::uint64_t;

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// A clock of `mhz` megahertz whose edge 0 is at time 0. The period need not be a whole number of picoseconds: edge n
/// lies at floor(n * 10^6 / mhz), so no error accumulates.
class Clock {
 public:
  explicit Clock(std::uint64_t mhz) : mhz_(mhz), period_(kPsPerUs % mhz == 0 ? kPsPerUs / mhz : 0) {}

  Picoseconds time_of(Cycle cycle) const {
    if (cycle == kNever) return kNever;
    if (period_ != 0) return cycle * period_;
    return static_cast<Picoseconds>(static_cast<unsigned __int128>(cycle) * kPsPerUs / mhz_);
  }
  /// The first edge at or after `time`.
  Cycle edge_at_or_after(Picoseconds time) const {
    if (time == kNever) return kNever;
    if (period_ != 0) return (time + period_ - 1) / period_;
    Cycle cycle = static_cast<Cycle>(static_cast<unsigned __int128>(time) * mhz_ / kPsPerUs);
    while (time_of(cycle) < time) ++cycle;
    return cycle;
  }
  /// Nanoseconds rounded up to whole cycles.
  Cycle cycles_of_ns(std::uint64_t ns) const { return (ns * mhz_ + 999) / 1000; }
  std::uint64_t mhz() const { return mhz_; }

 private:
  static constexpr std::uint64_t kPsPerUs = 1000000;
  std::uint64_t mhz_;
  std::uint64_t period_;  // 0: not a whole number of picoseconds
};

}  // namespace iommusim::base
