// SPDX-License-Identifier: Apache-2.0
#include "tlm/growing_ring.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

TEST(GrowingRing, KeepsOrderWhileItGrowsAndWraps) {
  GrowingRing<int> ring;
  int in = 0, out = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 7; ++i) ring.push(in++);
    for (int i = 0; i < 3; ++i, ring.pop()) EXPECT_EQ(ring.front(), out++);
  }
  for (; !ring.empty(); ring.pop()) EXPECT_EQ(ring.front(), out++);
  EXPECT_EQ(out, in);
  EXPECT_THROW(ring.pop(), base::Contradiction);
}
TEST(GrowingRing, InsertKeepsEqualsInOrderOfComing) {
  GrowingRing<int> ring;
  const auto by_tens = [](int a, int b) { return a / 10 < b / 10; };
  for (const int value : {20, 11, 21, 10, 5}) ring.insert(value, by_tens);
  std::vector<int> out;
  for (; !ring.empty(); ring.pop()) out.push_back(ring.front());
  EXPECT_EQ(out, (std::vector<int>{5, 11, 10, 20, 21}));
}
TEST(Slots, ReusesNumbersAndClearsWhatIsInThem) {
  Slots<int> slots;
  const auto first = slots.take();
  slots[first] = 5;
  EXPECT_NE(slots.take(), first);
  slots.give_back(first);
  EXPECT_EQ(slots.in_use(), 1U);
  EXPECT_EQ(slots.take(), first);
  EXPECT_EQ(slots[first], 0);
}

}  // namespace
}  // namespace iommusim::bus
