// SPDX-License-Identifier: Apache-2.0
// Bandwidth without drift: the time of some bytes at a rate in bytes a second is a fraction of a picosecond's multiple,
// and a Moment keeps that fraction, so bytes back to back take exactly what they must however they are cut.
#pragma once

#include "base/error.h"
#include "base/time.h"

namespace iommusim::bus {

/// A point in time: `whole` picoseconds and `part` / rate of the next. Moments of one Rate compare.
struct Moment {
  base::Picoseconds whole = 0;
  std::uint64_t part = 0;

  /// The first whole picosecond that is not before it.
  base::Picoseconds rounded_up() const { return whole + (part != 0 ? 1 : 0); }
};

class Rate {
 public:
  static constexpr std::uint64_t kMaxBytesPerSecond = 1'000'000'000'000'000;  ///< 1 PB/s; 0 is no limit

  explicit Rate(std::uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {
    base::ensure(bytes_per_second <= kMaxBytesPerSecond, "a bandwidth above 1 PB/s");
  }

  /// `bytes` later than `start`.
  Moment after(Moment start, std::uint64_t bytes) const {
    if (bytes_per_second_ == 0 || bytes == 0) return start;
    base::ensure(bytes <= kMaxBytes, "more bytes in one transfer than a rate can time");
    const std::uint64_t scaled = bytes * kPsPerSecond + start.part;
    return {start.whole + scaled / bytes_per_second_, scaled % bytes_per_second_};
  }

  /// Whichever is later: a moment of this rate or a whole time.
  static Moment later(Moment moment, base::Picoseconds time) { return moment.whole < time ? Moment{time, 0} : moment; }

 private:
  static constexpr std::uint64_t kPsPerSecond = 1'000'000'000'000;
  static constexpr std::uint64_t kMaxBytes = 16 * 1024 * 1024;  // kMaxBytes * kPsPerSecond + part fits 64 bits
  std::uint64_t bytes_per_second_;
};

}  // namespace iommusim::bus
