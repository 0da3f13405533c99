// SPDX-License-Identifier: Apache-2.0
// PageMap against the obvious model: one entry a page.
#include "traces/page_map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::traces {
namespace {

using PagewiseModel = std::map<PageMap::Key, std::uint64_t>;

void expect_equal(const PageMap& map, const PagewiseModel& model) {
  PagewiseModel seen;
  for (std::uint32_t space = 0; space < 2; ++space)
    map.visit(space, 0, 100, [&](std::uint64_t first, std::uint64_t last, std::uint64_t target) {
      for (std::uint64_t page = first; page <= last; ++page) seen[{space, page}] = target + (page - first);
    });
  RC_ASSERT(seen == model);
  RC_ASSERT(map.pages() == model.size());
}

RC_GTEST_PROP(PageMapLaw, EqualsOneEntryAPage, ()) {
  PageMap map;
  PagewiseModel model;
  for (int steps = *rc::gen::inRange(0, 40); steps > 0; --steps) {
    const auto space = *rc::gen::inRange<std::uint32_t>(0, 2);
    const auto first = *rc::gen::inRange<std::uint64_t>(0, 30);
    const auto last = first + *rc::gen::inRange<std::uint64_t>(0, 12);
    std::uint64_t present = 0;
    for (std::uint64_t page = first; page <= last; ++page) present += model.count({space, page});
    RC_ASSERT(map.covers(space, first, last) == (present == last - first + 1));
    if (*rc::gen::arbitrary<bool>()) {
      const auto target = *rc::gen::inRange<std::uint64_t>(1000, 2000);
      RC_ASSERT(map.assign(space, first, last, target) == present);
      for (std::uint64_t page = first; page <= last; ++page) model[{space, page}] = target + (page - first);
    } else {
      RC_ASSERT(map.erase(space, first, last) == present);
      for (std::uint64_t page = first; page <= last; ++page) model.erase({space, page});
    }
    expect_equal(map, model);
  }
}

TEST(PageMap, VisitCutsAtTheWindow) {
  PageMap map;
  map.assign(1, 10, 19, 100);
  std::vector<std::uint64_t> seen;
  map.visit(1, 12, 15, [&](std::uint64_t first, std::uint64_t last, std::uint64_t target) {
    seen.insert(seen.end(), {first, last, target});
  });
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{12, 15, 102}));
}

TEST(PageMap, PiecesKeepTheOrderOfTheirAssignment) {
  PageMap map;
  map.assign(1, 10, 19, 100);
  map.assign(1, 0, 0, 50);
  map.erase(1, 12, 12);
  std::vector<std::uint64_t> orders;
  for (const auto& [key, range] : map.ranges()) orders.push_back(range.order);
  EXPECT_EQ(orders, (std::vector<std::uint64_t>{1, 0, 0}));
}

TEST(PageMap, HugeRangesCostNothing) {
  constexpr std::uint64_t kLastPage = ~0ULL >> 12;
  PageMap map;
  EXPECT_EQ(map.assign(7, 0, kLastPage, 0), 0U);
  EXPECT_EQ(map.erase(7, 1, kLastPage - 1), kLastPage - 1);
  EXPECT_EQ(map.pages(), 2U);
  EXPECT_EQ(map.ranges().size(), 2U);
}

}  // namespace
}  // namespace iommusim::traces
