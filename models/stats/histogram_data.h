// SPDX-License-Identifier: Apache-2.0
// Distribution of 64-bit values in log-linear bins: values below 64 exactly, above with 32 bins an octave, so that a
// quantile is off by at most 1/32 of itself. 15 KiB whatever is added; add() takes constant time and never allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace iommusim::stats {

class HistogramData {
 public:
  HistogramData() : bins_(kBins) {}

  void add(std::uint64_t value) { add(value, 1); }
  /// The value, that many times.
  void add(std::uint64_t value, std::uint64_t times) {
    bins_[bin_of(value)] += times;
    count_ += times;
    sum_ += value * times;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }  ///< modulo 2^64
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_); }
  /// The value below or at which the fraction `q` (0..1) of the values lies, rounded up to the end of its bin; never
  /// outside [min, max]. 0 when empty.
  std::uint64_t quantile(double q) const;
  void clear();
  /// Takes away what `earlier`, an older copy of this histogram, held. Min and max become those of the remaining bins.
  void subtract(const HistogramData& earlier);

  static constexpr std::size_t kBins = 1920;
  static std::size_t bin_of(std::uint64_t value) {
    if (value < 2 * kPerOctave) return static_cast<std::size_t>(value);
    const unsigned shift = 58U - static_cast<unsigned>(__builtin_clzll(value));
    return static_cast<std::size_t>(shift * kPerOctave + (value >> shift));
  }
  static std::uint64_t lowest_of(std::size_t bin);
  static std::uint64_t highest_of(std::size_t bin);
  std::uint64_t in_bin(std::size_t bin) const { return bins_[bin]; }

 private:
  static constexpr std::uint64_t kPerOctave = 32;
  std::vector<std::uint64_t> bins_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = ~0ULL;
  std::uint64_t max_ = 0;
};

}  // namespace iommusim::stats
