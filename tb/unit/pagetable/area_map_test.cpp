// SPDX-License-Identifier: Apache-2.0
#include "pagetable/area_map.h"

#include <gtest/gtest.h>

namespace iommusim::pagetable {
namespace {

Area& add(AreaMap& map, std::uint64_t start, std::uint64_t last) {
  return map.insert(std::make_unique<Area>(Interval{start, last}, nullptr, 0, 0));
}

TEST(AreaMap, FindsTheLowestOverlap) {
  AreaMap map;
  Area& low = add(map, 10, 19);
  Area& high = add(map, 30, 39);
  EXPECT_EQ(map.first_in({0, 9}), nullptr);
  EXPECT_EQ(map.first_in({0, 10}), &low);
  EXPECT_EQ(map.first_in({19, 35}), &low);
  EXPECT_EQ(map.first_in({20, 35}), &high);
  EXPECT_EQ(map.first_in({20, 29}), nullptr);
  EXPECT_EQ(map.first_in({40, kMaxAddress}), nullptr);
}

TEST(AreaMap, TellsSpans) {
  AreaMap map;
  add(map, 10, 19);
  EXPECT_EQ(map.used_through(15), 19U);
  EXPECT_FALSE(map.used_through(9));
  EXPECT_EQ(map.next_start(9), 10U);
  EXPECT_FALSE(map.next_start(10));
}

TEST(AreaMap, RefusesAnOverlap) {
  AreaMap map;
  add(map, 10, 19);
  EXPECT_THROW(add(map, 19, 20), hal::Contradiction);
  EXPECT_THROW(add(map, 0, 10), hal::Contradiction);
  EXPECT_EQ(map.size(), 1U);
}

TEST(AreaMap, AnAreaKnowsItsBytesAndPages) {
  const Area area({0x5000, 0x6FFF}, nullptr, 0x1800, 0);
  EXPECT_EQ(area.length(), 0x2000U);
  EXPECT_EQ(area.byte_at(0x5010), 0x1810U);
  EXPECT_EQ(area.first_page(), 1U);
  EXPECT_EQ(area.last_page(), 3U);
}

}  // namespace
}  // namespace iommusim::pagetable
