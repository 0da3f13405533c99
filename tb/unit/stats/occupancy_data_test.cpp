// SPDX-License-Identifier: Apache-2.0
// The integral of a level is the sum of residence times, also across a window's border.
#include "stats/occupancy_data.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace iommusim::stats {
namespace {

TEST(OccupancyData, IntegratesOverTime) {
  OccupancyData data(2);
  data.set(10, 1);
  data.set(20, 3);
  data.set(25, 0);
  data.advance(50);
  EXPECT_EQ(data.integral(), 10U + 15U);
  EXPECT_EQ(data.max(), 3U);
  EXPECT_EQ(data.time_at_limit(), 5U);
  EXPECT_EQ(data.time(), 50U);
  EXPECT_DOUBLE_EQ(data.average(), 0.5);
}

TEST(OccupancyData, WithoutALimitNoTimeIsSpentAtIt) {
  OccupancyData data;
  data.set(0, 5);
  data.advance(10);
  EXPECT_EQ(data.time_at_limit(), 0U);
}

TEST(OccupancyData, TwoChangesAtOneTimeTakeNoTime) {
  OccupancyData data;
  data.enter(10);
  data.leave(10);
  data.advance(20);
  EXPECT_EQ(data.integral(), 0U);
  EXPECT_EQ(data.max(), 1U);
}

TEST(OccupancyData, RefusesTimeThatGoesBackAndLevelsBelowZero) {
  OccupancyData data;
  data.set(10, 1);
  EXPECT_THROW(data.set(9, 2), base::Contradiction);
  data.leave(11);
  EXPECT_THROW(data.leave(12), base::Contradiction);
}

TEST(OccupancyData, ANewWindowKeepsTheLevel) {
  OccupancyData data(4);
  data.set(0, 4);
  data.advance(10);
  data.set(10, 2);
  data.restart();
  EXPECT_EQ(data.level_at_start(), 2U);
  EXPECT_EQ(data.max(), 2U);
  data.advance(15);
  EXPECT_EQ(data.integral(), 10U);
  EXPECT_EQ(data.time(), 5U);
  EXPECT_EQ(data.start(), 10U);
  EXPECT_EQ(data.now(), 15U);
  EXPECT_EQ(data.time_at_limit(), 0U);
}

struct Visit {
  std::uint64_t from;
  std::uint64_t to;
};

RC_GTEST_PROP(OccupancyData, TheIntegralIsTheSumOfResidence, ()) {
  const auto raw = *rc::gen::container<std::vector<std::pair<std::uint64_t, std::uint64_t>>>(
      rc::gen::pair(rc::gen::inRange<std::uint64_t>(0, 1000), rc::gen::inRange<std::uint64_t>(0, 1000)));
  const auto border = *rc::gen::inRange<std::uint64_t>(0, 1000);
  constexpr std::uint64_t end = 1500;  // some are still inside
  struct Step {
    std::uint64_t time;
    bool in;
  };
  std::vector<Step> steps;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  for (const auto& [from, length] : raw) {
    const Visit visit{from, from + length};
    steps.push_back({visit.from, true});
    if (visit.to < end) steps.push_back({visit.to, false});
    const std::uint64_t to = std::min(visit.to, end);
    before += std::min(to, border) - std::min(visit.from, border);
    after += std::max(to, border) - std::max(visit.from, border);
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.time != b.time ? a.time < b.time : a.in && !b.in; });
  OccupancyData data;
  OccupancyData warm_up;
  bool cut = false;
  for (const Step& step : steps) {
    if (!cut && step.time >= border) {
      data.advance(border);
      warm_up = data;
      cut = true;
    }
    step.in ? data.enter(step.time) : data.leave(step.time);
  }
  if (!cut) {
    data.advance(border);
    warm_up = data;
  }
  data.advance(end);
  RC_ASSERT(warm_up.integral() == before);
  RC_ASSERT(data.integral() == before + after);
  data.subtract(warm_up);
  RC_ASSERT(data.integral() == after);
  RC_ASSERT(data.time() == end - border);
  RC_ASSERT(data.level_at_start() == warm_up.level());
}

}  // namespace
}  // namespace iommusim::stats
