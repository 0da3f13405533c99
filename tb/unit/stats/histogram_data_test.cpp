// SPDX-License-Identifier: Apache-2.0
// The bins cover all 64-bit values without gap, and a quantile is within 1/32 of the exact one.
#include "stats/histogram_data.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace iommusim::stats {
namespace {

/// Values of every magnitude.
rc::Gen<std::uint64_t> magnitudes() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange(0, 64)),
      [](const std::pair<std::uint64_t, int>& p) -> std::uint64_t { return (p.first | (1ULL << 63)) >> p.second; });
}

TEST(HistogramData, BinsCoverEverythingWithoutGap) {
  EXPECT_EQ(HistogramData::lowest_of(0), 0U);
  for (std::size_t bin = 0; bin < HistogramData::kBins; ++bin) {
    const std::uint64_t lowest = HistogramData::lowest_of(bin);
    const std::uint64_t highest = HistogramData::highest_of(bin);
    ASSERT_EQ(HistogramData::bin_of(lowest), bin);
    ASSERT_EQ(HistogramData::bin_of(highest), bin);
    ASSERT_LE((highest - lowest) * 32, lowest) << "relative error of bin " << bin;
    if (bin + 1 < HistogramData::kBins)
      ASSERT_EQ(HistogramData::lowest_of(bin + 1), highest + 1);
    else
      ASSERT_EQ(highest, ~0ULL);
  }
}

TEST(HistogramData, SmallValuesAreExact) {
  HistogramData data;
  for (std::uint64_t value = 1; value <= 60; ++value) data.add(value);
  EXPECT_EQ(data.quantile(0.0), 1U);
  EXPECT_EQ(data.quantile(0.5), 30U);
  EXPECT_EQ(data.quantile(1.0), 60U);
  EXPECT_EQ(data.sum(), 1830U);
  EXPECT_DOUBLE_EQ(data.mean(), 30.5);
}

TEST(HistogramData, NothingAddedIsZeroEverywhere) {
  const HistogramData data;
  EXPECT_EQ(data.count(), 0U);
  EXPECT_EQ(data.min(), 0U);
  EXPECT_EQ(data.max(), 0U);
  EXPECT_EQ(data.quantile(0.99), 0U);
  EXPECT_DOUBLE_EQ(data.mean(), 0.0);
}

RC_GTEST_PROP(HistogramData, QuantilesAreWithinOneThirtySecond, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(magnitudes()));
  HistogramData data;
  for (const std::uint64_t value : values) data.add(value);
  std::sort(values.begin(), values.end());
  RC_ASSERT(data.count() == values.size());
  RC_ASSERT(data.min() == values.front());
  RC_ASSERT(data.max() == values.back());
  for (const double q : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
    const std::uint64_t exact = values[rank == 0 ? 0 : rank - 1];
    const std::uint64_t found = data.quantile(q);
    RC_ASSERT(found >= exact);
    RC_ASSERT(found - exact <= exact / 32);
  }
}

RC_GTEST_PROP(HistogramData, SubtractLeavesWhatCameLater, ()) {
  const auto before = *rc::gen::container<std::vector<std::uint64_t>>(magnitudes());
  const auto after = *rc::gen::container<std::vector<std::uint64_t>>(magnitudes());
  HistogramData all;
  HistogramData only_after;
  for (const std::uint64_t value : before) all.add(value);
  const HistogramData earlier = all;
  for (const std::uint64_t value : after) {
    all.add(value);
    only_after.add(value);
  }
  all.subtract(earlier);
  RC_ASSERT(all.count() == only_after.count());
  RC_ASSERT(all.sum() == only_after.sum());
  for (std::size_t bin = 0; bin < HistogramData::kBins; ++bin) RC_ASSERT(all.in_bin(bin) == only_after.in_bin(bin));
  RC_ASSERT(HistogramData::bin_of(all.min()) == HistogramData::bin_of(only_after.min()));
  RC_ASSERT(HistogramData::bin_of(all.max()) == HistogramData::bin_of(only_after.max()));
}

TEST(HistogramData, SubtractingTheLaterFromTheEarlierIsAContradiction) {
  HistogramData earlier;
  HistogramData later;
  later.add(3);
  EXPECT_THROW(earlier.subtract(later), base::Contradiction);
}

TEST(HistogramData, ClearForgets) {
  HistogramData data;
  data.add(1000);
  data.clear();
  EXPECT_EQ(data.max(), 0U);
  EXPECT_EQ(data.sum(), 0U);
  data.add(7);
  EXPECT_EQ(data.min(), 7U);
  EXPECT_EQ(data.quantile(1.0), 7U);
}

}  // namespace
}  // namespace iommusim::stats
