// SPDX-License-Identifier: Apache-2.0
#include "stats/histogram_data.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace iommusim::stats {

std::uint64_t HistogramData::lowest_of(std::size_t bin) {
  if (bin < 2 * kPerOctave) return bin;
  const std::uint64_t shift = bin / kPerOctave - 1;
  return (bin - shift * kPerOctave) << shift;
}

std::uint64_t HistogramData::highest_of(std::size_t bin) {
  if (bin < 2 * kPerOctave) return bin;
  return lowest_of(bin) + ((1ULL << (bin / kPerOctave - 1)) - 1);
}

std::uint64_t HistogramData::quantile(double q) const {
  if (count_ == 0) return 0;
  const double rank = std::ceil(q * static_cast<double>(count_));
  const std::uint64_t wanted = rank < 1.0 ? 1 : std::min(count_, static_cast<std::uint64_t>(rank));
  std::uint64_t seen = 0;
  std::size_t bin = 0;
  while ((seen += bins_[bin]) < wanted) ++bin;
  return std::clamp(highest_of(bin), min_, max_);
}

void HistogramData::clear() {
  std::fill(bins_.begin(), bins_.end(), 0);
  count_ = sum_ = max_ = 0;
  min_ = ~0ULL;
}

void HistogramData::subtract(const HistogramData& earlier) {
  const std::uint64_t old_min = min_;
  const std::uint64_t old_max = max_;
  min_ = ~0ULL;
  max_ = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    base::ensure(bins_[bin] >= earlier.bins_[bin], "a histogram lost values between two snapshots");
    bins_[bin] -= earlier.bins_[bin];
    if (bins_[bin] == 0) continue;
    if (min_ == ~0ULL) min_ = std::max(lowest_of(bin), old_min);
    max_ = std::min(highest_of(bin), old_max);
  }
  count_ -= earlier.count_;
  sum_ -= earlier.sum_;
}

}  // namespace iommusim::stats
