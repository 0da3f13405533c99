// SPDX-License-Identifier: Apache-2.0
#include "pagetable/area_map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "hal/contradiction.h"

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

TEST(AreaMap, FindsTheLowestHoleThatIsLargeEnough) {
  AreaMap map;
  EXPECT_EQ(map.next_hole(7, kMaxAddress - 6), (Interval{7, kMaxAddress}));
  EXPECT_FALSE(map.next_hole(7, kMaxAddress - 5));
  add(map, 10, 19);
  add(map, 25, 29);
  add(map, 50, kMaxAddress);
  EXPECT_EQ(map.next_hole(0, 10), (Interval{0, 9}));
  EXPECT_EQ(map.next_hole(1, 10), (Interval{30, 49}));
  EXPECT_EQ(map.next_hole(1, 5), (Interval{1, 9}));
  EXPECT_EQ(map.next_hole(12, 5), (Interval{20, 24}));
  EXPECT_EQ(map.next_hole(22, 4), (Interval{30, 49}));
  EXPECT_EQ(map.next_hole(22, 3), (Interval{22, 24}));
  EXPECT_FALSE(map.next_hole(0, 21));
  EXPECT_FALSE(map.next_hole(kMaxAddress, 1));
}

RC_GTEST_PROP(AreaMap, AnswersAsAPlainMapDoes, ()) {
  AreaMap map;
  std::map<std::uint64_t, Area*> model;
  const auto taken = [&](std::uint64_t at) {
    const auto next = model.upper_bound(at);
    return next != model.begin() && std::prev(next)->second->iova.last >= at;
  };
  const auto steps = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint8_t>>>(
      60, rc::gen::pair(rc::gen::arbitrary<std::uint8_t>(), rc::gen::arbitrary<std::uint8_t>()));
  for (const auto& [start, choice] : steps) {
    if (choice % 4 == 0 && !model.empty()) {
      const auto victim = std::next(model.begin(), start % static_cast<long>(model.size()));
      RC_ASSERT(map.take(*victim->second)->iova.start == victim->first);
      model.erase(victim);
    } else {
      std::uint64_t last = start;
      while (last < start + choice % 9U && !taken(last + 1)) ++last;
      if (!taken(start)) model[start] = &add(map, start, last);
    }
    RC_ASSERT(map.size() == model.size());
    const Area* at = map.first();
    for (const auto& [key, area] : model) {
      RC_ASSERT(at == area);
      at = AreaMap::next(*at);
    }
    RC_ASSERT(at == nullptr);
    RC_ASSERT(map.last() == (model.empty() ? nullptr : model.rbegin()->second));
    const std::uint64_t from = choice;
    for (const std::uint64_t bytes : {1, 2, 5, 20}) {
      std::uint64_t low = from;
      while (taken(low)) ++low;
      for (;;) {
        const auto next = model.upper_bound(low);
        const std::uint64_t end = next == model.end() ? kMaxAddress : next->first - 1;
        if (end - low >= bytes - 1) {
          RC_ASSERT(map.next_hole(from, bytes) == (Interval{low, end}));
          break;
        }
        low = end + 1;
        while (taken(low)) ++low;
      }
    }
    RC_ASSERT(map.used_through(from).has_value() == taken(from));
    const auto next = model.upper_bound(from);
    RC_ASSERT(map.next_start(from) == (next == model.end() ? std::nullopt : std::optional(next->first)));
  }
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
