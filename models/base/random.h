// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same on every machine: the generator is the standard's mt19937_64 (its output is fixed by
// the standard), the mapping to a range is ours (the standard's distributions differ between libraries).
#pragma once

#include <cstdint>
#include <random>

namespace iommusim::base {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  /// Uniform in [0, bound); bound > 0. Multiply-shift: the bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(engine_()) * bound) >> 64);
  }
  /// True with probability numerator / denominator.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) { return below(denominator) < numerator; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace iommusim::base
