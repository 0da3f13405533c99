// SPDX-License-Identifier: Apache-2.0
// The interval tree against a plain list.
#include "pagetable/interval_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace iommusim::pagetable {
namespace {

Interval small_interval() {
  const auto start = *rc::gen::inRange<std::uint64_t>(0, 60);
  return {start, start + *rc::gen::inRange<std::uint64_t>(0, 12)};
}

RC_GTEST_PROP(IntervalTree, AnswersAsAPlainList, ()) {
  IntervalTree<int> tree;
  std::vector<std::pair<Interval, int>> list;
  const int steps = *rc::gen::inRange(0, 60);
  for (int step = 0; step < steps; ++step) {
    const int owner = *rc::gen::inRange(0, 6);
    if (*rc::gen::inRange(0, 8) == 0) {
      tree.erase_if([owner](const Interval&, int of) { return of == owner; });
      for (std::size_t i = list.size(); i-- > 0;)
        if (list[i].second == owner) list.erase(list.begin() + static_cast<long>(i));
    } else {
      const Interval range = small_interval();
      tree.insert(range, owner);
      list.emplace_back(range, owner);
    }
  }
  RC_ASSERT(tree.empty() == list.empty());
  const Interval probe = small_interval();
  bool overlaps = false;
  for (const auto& [range, owner] : list) overlaps |= range.overlaps(probe);
  RC_ASSERT(tree.overlaps(probe) == overlaps);
  for (std::uint64_t address = 0; address < 80; ++address) {
    std::optional<std::uint64_t> next;
    bool used = false;
    for (const auto& [range, owner] : list) {
      used |= range.contains(address);
      if (range.start > address && (!next || range.start < *next)) next = range.start;
    }
    RC_ASSERT(tree.next_start(address) == next);
    const auto through = tree.used_through(address);
    RC_ASSERT(through.has_value() == used);
    RC_ASSERT(!through || *through >= address);
  }
}

TEST(IntervalTree, KnowsTheLastAddress) {
  IntervalTree<int> tree;
  tree.insert({kMaxAddress, kMaxAddress}, 1);
  EXPECT_EQ(tree.used_through(kMaxAddress), kMaxAddress);
  EXPECT_FALSE(tree.overlaps({0, kMaxAddress - 1}));
  EXPECT_FALSE(tree.next_start(kMaxAddress));
}

TEST(IntervalTree, KeepsTwoEqualIntervalsApart) {
  IntervalTree<int> tree;
  tree.insert({5, 9}, 1);
  tree.insert({5, 9}, 2);
  tree.erase_if([](const Interval&, int owner) { return owner == 1; });
  EXPECT_TRUE(tree.overlaps({7, 7}));
  tree.erase_if([](const Interval&, int owner) { return owner == 2; });
  EXPECT_TRUE(tree.empty());
}

}  // namespace
}  // namespace iommusim::pagetable
