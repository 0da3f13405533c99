// SPDX-License-Identifier: Apache-2.0
// IovaTree: from the top down, aligned to the size, never a page twice, and what is given back is found again.
#include "dma/iova_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "hal/contradiction.h"

namespace iommusim::dma {
namespace {

std::uint64_t allocate(IovaTree& tree, std::uint64_t pages, std::uint64_t limit, bool low = false) {
  std::uint64_t steps = 0;
  return tree.allocate(pages, limit, low, steps);
}

TEST(IovaTree, HandsOutTheHighestAlignedRange) {
  IovaTree tree;
  EXPECT_EQ(allocate(tree, 1, 99), 99U);
  EXPECT_EQ(allocate(tree, 1, 99), 98U);
  EXPECT_EQ(allocate(tree, 4, 99), 92U);
  EXPECT_EQ(allocate(tree, 3, 99), 88U);  // aligned to 4
  EXPECT_EQ(allocate(tree, 1, 99), 87U);
}

TEST(IovaTree, NeverPageZero) {
  IovaTree tree;
  for (std::uint64_t page = 3; page > 0; --page) EXPECT_EQ(allocate(tree, 1, 3), page);
  EXPECT_EQ(allocate(tree, 1, 3), 0U);
  EXPECT_EQ(allocate(tree, 1, 4), 4U);
}

TEST(IovaTree, FindsAHoleAboveThePlaceOfTheLastSearchOnceTheRestIsFull) {
  IovaTree tree;
  for (int i = 0; i < 10; ++i) (void)allocate(tree, 1, 10);
  tree.give_back(9, 1);
  EXPECT_EQ(allocate(tree, 1, 10), 9U);
  tree.give_back(4, 1);
  EXPECT_EQ(allocate(tree, 1, 3), 0U);
  EXPECT_EQ(allocate(tree, 1, 10), 4U);
}

TEST(IovaTree, ASearchBeginsWhereTheLastOneEnded) {
  IovaTree tree;
  for (int i = 0; i < 1000; ++i) (void)allocate(tree, 1, 1ULL << 20);
  std::uint64_t steps = 0;
  (void)tree.allocate(1, 1ULL << 20, false, steps);
  EXPECT_EQ(steps, 1U);
  (void)tree.allocate(1, 1ULL << 20, true, steps = 0);  // a place of its own: from the top once
  EXPECT_GT(steps, 900U);
}

TEST(IovaTree, KeepsReservedPages) {
  IovaTree tree;
  tree.reserve(90, 99);
  tree.reserve(85, 95);
  tree.reserve(80, 120);
  EXPECT_EQ(allocate(tree, 1, 99), 79U);
  EXPECT_FALSE(tree.take(120, 1));
  EXPECT_TRUE(tree.take(121, 1));
}

TEST(IovaTree, TakesExactRangesAndCutsThem) {
  IovaTree tree;
  EXPECT_TRUE(tree.take(10, 8));
  EXPECT_TRUE(tree.take(18, 2));
  EXPECT_FALSE(tree.take(17, 1));
  EXPECT_FALSE(tree.take(5, 6));
  tree.cut(14, 19);
  EXPECT_TRUE(tree.take(14, 5));
  EXPECT_FALSE(tree.take(19, 1));
  EXPECT_FALSE(tree.take(13, 1));
  EXPECT_THROW(tree.cut(9, 11), hal::Contradiction);
  EXPECT_THROW(tree.give_back(10, 2), hal::Contradiction);
}

RC_GTEST_PROP(IovaTree, AgreesWithASetOfPages, ()) {
  IovaTree tree;
  constexpr std::uint64_t kLimit = 127;
  std::set<std::uint64_t> taken;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> held;
  const auto count = *rc::gen::inRange(1, 80);
  for (int i = 0; i < count; ++i) {
    if (!held.empty() && *rc::gen::inRange(0, 3) == 0) {
      const auto which = *rc::gen::inRange<std::size_t>(0, held.size());
      const auto [first, pages] = held[which];
      tree.give_back(first, pages);
      for (std::uint64_t page = first; page < first + pages; ++page) taken.erase(page);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    const auto pages = *rc::gen::inRange<std::uint64_t>(1, 12);
    const auto limit = *rc::gen::inRange<std::uint64_t>(16, kLimit + 1);
    std::uint64_t align = 1;
    while (align < pages) align *= 2;
    bool room = false;
    for (std::uint64_t first = align; first + pages <= limit + 1; first += align)
      room = room || taken.lower_bound(first) == taken.lower_bound(first + pages);
    const std::uint64_t first = allocate(tree, pages, limit, *rc::gen::arbitrary<bool>());
    RC_ASSERT((first != 0) == room);
    if (first == 0) continue;
    RC_ASSERT((first % align == 0 && first + pages <= limit + 1));
    for (std::uint64_t page = first; page < first + pages; ++page) RC_ASSERT(taken.insert(page).second);
    held.emplace_back(first, pages);
  }
  for (const auto& [first, pages] : held) tree.give_back(first, pages);
  RC_ASSERT(tree.ranges() == 0U);
}

}  // namespace
}  // namespace iommusim::dma
