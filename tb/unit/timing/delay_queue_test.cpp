// SPDX-License-Identifier: Apache-2.0
#include "timing/delay_queue.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

TEST(DelayQueue, GivesTheEarliestFirstAndEqualsInOrder) {
  DelayQueue queue(8);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_event(), base::kNever);
  queue.push(30, 1);
  queue.push(10, 2);
  queue.push(20, 3);
  queue.push(10, 4);
  EXPECT_EQ(queue.next_event(), 10U);
  EXPECT_FALSE(queue.ready(9));
  EXPECT_TRUE(queue.ready(10));
  for (const std::uint32_t expected : {2U, 4U, 3U, 1U}) EXPECT_EQ(queue.take(), expected);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace iommusim::timing
