// SPDX-License-Identifier: Apache-2.0
// The member is the value: counters, and the forms a side of a ratio can take.
#include "stats/statistic.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace iommusim::stats {
namespace {

static_assert(sizeof(Counter) == sizeof(std::uint64_t), "a counter is its value");
static_assert(!std::is_copy_constructible_v<Counter> && !std::is_move_constructible_v<Counter>);
static_assert(!std::is_copy_constructible_v<Group> && !std::is_move_constructible_v<Group>);
static_assert(!std::is_copy_constructible_v<Histogram> && !std::is_copy_constructible_v<Occupancy>);

TEST(Statistic, ACounterAdds) {
  Group group("g");
  Counter counter(group, "c", Unit::kCount, "");
  ++counter;
  counter += 41;
  EXPECT_EQ(counter.value(), 42U);
}

TEST(Statistic, CountersCanStandInAnArray) {
  struct Levels : Group {
    using Group::Group;
    Counter hits[2] = {{*this, "hits_level_0", Unit::kCount, "leaf"}, {*this, "hits_level_1", Unit::kCount, "above"}};
  };
  Levels levels("levels");
  ++levels.hits[1];
  EXPECT_EQ(levels.hits[0].value(), 0U);
  EXPECT_EQ(levels.hits[1].value(), 1U);
}

TEST(Statistic, ARatioReadsBothSidesWhenAsked) {
  Group group("g");
  Counter reads(group, "reads", Unit::kCount, "");
  Counter walks(group, "walks", Unit::kCount, "");
  const Derived twice(group, "twice", Unit::kCount, "", [&] { return 2 * walks.value(); });
  const Ratio by_counter(group, "a", reads, walks, "");
  const Ratio by_constant(group, "b", reads, 1024, "");
  const Ratio by_derived(group, "c", twice, reads, "");
  const Ratio by_callable(
      group, "d", [&] { return reads.value() + walks.value(); }, walks, "");
  reads += 6;
  walks += 2;
  EXPECT_EQ(by_counter.numerator(), 6U);
  EXPECT_EQ(by_counter.denominator(), 2U);
  EXPECT_EQ(by_constant.denominator(), 1024U);
  EXPECT_EQ(by_derived.numerator(), 4U);
  EXPECT_EQ(by_callable.numerator(), 8U);
}

TEST(Statistic, AnOccupancyCountsWhoIsInside) {
  Group group("g");
  Occupancy inside(group, "inside", Unit::kCount, "", 2);
  inside.enter(1);
  inside.enter(2);
  EXPECT_EQ(inside.level(), 2U);
  inside.leave(5);
  inside.set_limit(1);
  inside.set(7, 0);
  EXPECT_EQ(inside.data().integral(), 1U + 6U + 2U);
  EXPECT_EQ(inside.data().time_at_limit(), 3U + 2U);
}

}  // namespace
}  // namespace iommusim::stats
