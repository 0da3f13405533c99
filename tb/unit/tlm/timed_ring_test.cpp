// SPDX-License-Identifier: Apache-2.0
#include "tlm/timed_ring.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

TEST(TimedRing, EarliestFirstAndEqualTimesInOrder) {
  TimedRing<int> ring(4);
  ring.push(20, 1);
  ring.push(10, 2);
  ring.push(20, 3);
  ring.push(10, 4);
  EXPECT_FALSE(ring.due(9));
  EXPECT_EQ(ring.next(), 10U);
  for (const int expected : {2, 4, 1, 3}) {
    EXPECT_TRUE(ring.due(20));
    EXPECT_EQ(ring.pop(), expected);
  }
  EXPECT_EQ(ring.next(), base::kNever);
}

}  // namespace
}  // namespace iommusim::bus
