// SPDX-License-Identifier: Apache-2.0
// The fault queue protocol: pending first, then drain; overflow is cleared and draining goes on; logs are limited.
#include "drivers/riscv/fault_queue.h"

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct FaultQueueTest : ::testing::Test {
  FaultQueueTest() {
    EXPECT_EQ(queue.enable(2), 0);  // four entries: three records fit
    (void)bench.hardware.take();
  }
  ~FaultQueueTest() override { queue.disable(); }
  Bench bench;
  FaultQueue queue{bench.ports};
};

TEST_F(FaultQueueTest, ClearsPendingThenDrainsUntilEmpty) {
  bench.hardware.fault(15, 0x123, 0x7000);
  bench.hardware.fault(258, 0x124, 0x8000);
  queue.handle_interrupt();
  EXPECT_EQ(bench.hardware.take(true),
            (Events{"write ipsr 0x2", "read fqt", "write fqh 0x2", "read fqt", "read fqcsr"}));
  const auto records = queue.take_records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].cause, 15U);
  EXPECT_EQ(records[0].device_id, 0x123U);
  EXPECT_EQ(records[0].iotval, 0x7000U);
  EXPECT_EQ(records[0].transaction, hw::ttyp::kUntranslatedWrite);
  EXPECT_EQ(records[1].cause, 258U);
  EXPECT_TRUE(queue.take_records().empty());
}

TEST_F(FaultQueueTest, RecordsWithoutACauseAreSkipped) {
  bench.hardware.fault(0, 1, 0x7000);
  queue.handle_interrupt();
  EXPECT_EQ(queue.records(), 0U);
  EXPECT_EQ(bench.hardware.peek(hw::kFqhOffset), 1U);
}

TEST_F(FaultQueueTest, OverflowIsClearedAndRecordingGoesOn) {
  for (std::uint32_t i = 0; i < 5; ++i) bench.hardware.fault(13, i, 0x1000);
  EXPECT_NE(bench.hardware.peek(hw::kFqcsrOffset) & hw::fqcsr::kFqofMask, 0U);
  queue.handle_interrupt();
  EXPECT_EQ(bench.hardware.take(), (Events{"write ipsr 0x2", "write fqh 0x3", "write fqcsr 0x203"}));
  EXPECT_EQ(queue.records(), 3U);
  EXPECT_EQ(queue.overflows(), 1U);
  bench.hardware.fault(13, 9, 0x1000);
  queue.handle_interrupt();
  EXPECT_EQ(queue.records(), 4U);
  EXPECT_EQ(queue.overflows(), 1U);
}

TEST_F(FaultQueueTest, ARecordBetweenDrainAndClearIsNotLost) {
  for (std::uint32_t i = 0; i < 4; ++i) bench.hardware.fault(13, i, 0x1000);
  unsigned calls = 0;
  queue.set_listener([&](const FaultRecord&) { ++calls; });
  queue.handle_interrupt();
  EXPECT_EQ(calls, 3U);
  bench.hardware.fault(13, 7, 0x1000);  // raises fip again: the pending bit was cleared before draining
  EXPECT_NE(bench.hardware.peek(hw::kIpsrOffset) & hw::ipsr::kFipMask, 0U);
  queue.handle_interrupt();
  EXPECT_EQ(calls, 4U);
}

TEST_F(FaultQueueTest, KeepsOnlyTheLatestAndLogsOnlySome) {
  for (std::uint32_t i = 0; i < FaultQueue::kKept + 10; ++i) {
    bench.hardware.fault(13, i, 0x1000);
    queue.handle_interrupt();
  }
  EXPECT_EQ(queue.records(), FaultQueue::kKept + 10);
  const auto records = queue.take_records();
  ASSERT_EQ(records.size(), FaultQueue::kKept);
  EXPECT_EQ(records.front().device_id, 10U);
  EXPECT_EQ(bench.os.lines.size(), 10U);
}

TEST(FaultRecord, ReadsAsOneLine) {
  FaultRecord record;
  record.cause = 13;
  record.device_id = 0x100;
  record.iotval = 0xF000;
  EXPECT_EQ(to_string(record), "fault: cause 13 device 0x100 transaction 0 iotval 0xf000 iotval2 0x0");
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
