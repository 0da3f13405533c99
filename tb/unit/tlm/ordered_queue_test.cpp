// SPDX-License-Identifier: Apache-2.0
#include "tlm/ordered_queue.h"

#include <gtest/gtest.h>

#include <set>

namespace iommusim::bus {
namespace {

struct QueueBench {
  OrderedQueue queue;
  std::set<std::uint32_t> blocked;
  std::uint32_t next() {
    return queue.next([this](std::uint32_t packet) { return blocked.count(packet) == 0; });
  }
};

TEST(OrderedQueue, GoesInOrderOfComing) {
  QueueBench bench;
  EXPECT_EQ(bench.next(), OrderedQueue::kNone);
  bench.queue.push(1, false);
  bench.queue.push(2, true);
  EXPECT_EQ(bench.next(), 1U);
  bench.queue.pop(false);
  EXPECT_EQ(bench.next(), 2U);
  bench.queue.pop(true);
  EXPECT_TRUE(bench.queue.empty());
}
TEST(OrderedQueue, APostedPacketPassesABlockedRead) {
  QueueBench bench;
  bench.queue.push(1, false);
  bench.queue.push(2, true);
  bench.blocked = {1};
  EXPECT_EQ(bench.next(), 2U);
}
TEST(OrderedQueue, AReadDoesNotPassABlockedPostedPacket) {
  QueueBench bench;
  bench.queue.push(1, true);
  bench.queue.push(2, false);
  bench.blocked = {1};
  EXPECT_EQ(bench.next(), OrderedQueue::kNone);
  bench.queue.set_independent(true);  // as on AXI
  EXPECT_EQ(bench.next(), 2U);
}

}  // namespace
}  // namespace iommusim::bus
