// SPDX-License-Identifier: Apache-2.0
// Spans over two trees against a bitmap.
#include "pagetable/span_walk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "pagetable/interval_tree.h"

namespace iommusim::pagetable {
namespace {

RC_GTEST_PROP(SpanWalk, SpansAreTheRunsOfTheUnion, ()) {
  constexpr std::uint64_t kSize = 64;
  std::array<bool, kSize> used{};
  IntervalTree<int> a;
  IntervalTree<int> b;
  const int count = *rc::gen::inRange(0, 16);
  for (int i = 0; i < count; ++i) {
    const auto start = *rc::gen::inRange<std::uint64_t>(0, kSize);
    const auto last = std::min(kSize - 1, start + *rc::gen::inRange<std::uint64_t>(0, 10));
    (i % 2 == 0 ? a : b).insert({start, last}, i);
    for (auto at = start; at <= last; ++at) used[at] = true;
  }
  const auto first = *rc::gen::inRange<std::uint64_t>(0, kSize);
  const auto last = *rc::gen::inRange<std::uint64_t>(first, kSize);
  SpanWalk walk({first, last}, a, b);
  std::uint64_t next = first;
  std::optional<bool> before;
  while (const auto span = walk.next()) {
    RC_ASSERT(span->range.start == next);
    RC_ASSERT(span->range.last <= last);
    RC_ASSERT(!before || *before != span->used);  // maximal
    for (auto at = span->range.start; at <= span->range.last; ++at) RC_ASSERT(used[at] == span->used);
    before = span->used;
    next = span->range.last + 1;
  }
  RC_ASSERT(next == last + 1);
}

TEST(SpanWalk, AnEmptyTreeIsOneHoleToTheEnd) {
  const IntervalTree<int> tree;
  SpanWalk walk({0, kMaxAddress}, tree);
  const auto span = walk.next();
  ASSERT_TRUE(span);
  EXPECT_FALSE(span->used);
  EXPECT_EQ(span->range, (Interval{0, kMaxAddress}));
  EXPECT_FALSE(walk.next());
}

TEST(SpanWalk, IntervalsThatTouchAreOneSpan) {
  IntervalTree<int> a;
  IntervalTree<int> b;
  a.insert({10, 19}, 0);
  b.insert({20, 29}, 0);
  b.insert({kMaxAddress, kMaxAddress}, 0);
  SpanWalk walk({0, kMaxAddress}, a, b);
  walk.next();
  EXPECT_EQ(walk.next()->range, (Interval{10, 29}));
  walk.next();
  EXPECT_EQ(walk.next()->range, (Interval{kMaxAddress, kMaxAddress}));
  EXPECT_FALSE(walk.next());
}

TEST(SpanWalk, AnEmptyWindowHasNoSpan) {
  const IntervalTree<int> tree;
  SpanWalk walk({8, 7}, tree);
  EXPECT_FALSE(walk.next());
}

}  // namespace
}  // namespace iommusim::pagetable
