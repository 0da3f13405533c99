// SPDX-License-Identifier: Apache-2.0
// Edges of a clock: no drift at any frequency, and a time between two edges belongs to the next.
#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::base {
namespace {

TEST(Clock, EdgesDoNotDriftWhenThePeriodIsNotWhole) {
  const Clock clock(3);  // 333333.33 ps
  EXPECT_EQ(clock.time_of(1), 333333U);
  EXPECT_EQ(clock.time_of(2), 666666U);
  EXPECT_EQ(clock.time_of(3), 1000000U);
  EXPECT_EQ(clock.time_of(3000000000), 1000000000000000U);
}

TEST(Clock, ATimeBetweenTwoEdgesBelongsToTheNext) {
  const Clock clock(1000);
  EXPECT_EQ(clock.edge_at_or_after(0), 0U);
  EXPECT_EQ(clock.edge_at_or_after(999), 1U);
  EXPECT_EQ(clock.edge_at_or_after(1000), 1U);
  EXPECT_EQ(clock.edge_at_or_after(1001), 2U);
}

RC_GTEST_PROP(Clock, TheEdgeFoundIsTheFirst, ()) {
  const Clock clock(*rc::gen::inRange<std::uint64_t>(1, 10000));
  const auto time = *rc::gen::inRange<std::uint64_t>(0, 1ULL << 60);
  const Cycle edge = clock.edge_at_or_after(time);
  RC_ASSERT(clock.time_of(edge) >= time);
  RC_ASSERT(edge == 0U || clock.time_of(edge - 1) < time);
}

TEST(Clock, NeverStaysNever) {
  const Clock clock(1500);
  EXPECT_EQ(clock.time_of(kNever), kNever);
  EXPECT_EQ(clock.edge_at_or_after(kNever), kNever);
}

TEST(Clock, NanosecondsAreRoundedUpToCycles) {
  const Clock clock(1500);
  EXPECT_EQ(clock.mhz(), 1500U);
  EXPECT_EQ(clock.cycles_of_ns(0), 0U);
  EXPECT_EQ(clock.cycles_of_ns(1), 2U);
  EXPECT_EQ(clock.cycles_of_ns(2), 3U);
  EXPECT_EQ(clock.cycles_of_ns(3), 5U);
}

}  // namespace
}  // namespace iommusim::base
