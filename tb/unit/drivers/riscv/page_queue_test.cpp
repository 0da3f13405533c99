// SPDX-License-Identifier: Apache-2.0
// The page-request queue: groups, answers, stop markers, and what an overflow leaves behind.
#include "drivers/riscv/page_queue.h"

#include <algorithm>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

constexpr std::uint64_t kR = 1, kW = 2, kL = 4;
constexpr std::uint32_t kId = 0x18;

struct PageQueueTest : ::testing::Test, domain::PageFaultHandler {
  PageQueueTest() {
    EXPECT_EQ(commands.enable(4), 0);
    EXPECT_EQ(queue.enable(3), 0);  // eight entries: seven records fit
    queue.set_handler(kId, this);
    (void)bench.hardware.take();
  }
  ~PageQueueTest() override {
    queue.disable();
    commands.disable();
  }
  void page_fault(const domain::PageFaultGroup& group) override { groups.push_back(group); }
  void arrive(std::uint64_t page, unsigned group, std::uint64_t flags, std::uint32_t id = kId) {
    bench.hardware.page_request(std::uint64_t{id} << 40, page << 12 | group << 3 | flags);
  }
  void arrive_of_process(std::uint32_t process, std::uint64_t payload) {
    bench.hardware.page_request(std::uint64_t{kId} << 40 | 1ULL << 32 | std::uint64_t{process} << 12, payload);
  }

  Bench bench;
  CommandQueue commands{bench.ports};
  PageQueue queue{bench.ports, commands};
  std::vector<domain::PageFaultGroup> groups;
};

TEST_F(PageQueueTest, AGroupIsCompleteWithItsLastRequest) {
  arrive(0x10, 5, kR);
  arrive(0x90, 6, kW | kL);
  arrive(0x11, 5, kR | kW);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].index, 6U);
  EXPECT_EQ(groups[0].device_id, kId);
  EXPECT_FALSE(groups[0].pages[0].read);
  EXPECT_TRUE(groups[0].pages[0].write);
  arrive(0x12, 5, kR | kL);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 2U);
  ASSERT_EQ(groups[1].pages.size(), 3U);
  EXPECT_EQ(groups[1].pages[1].iova, 0x11000U);
  EXPECT_TRUE(groups[1].pages[1].write);
  EXPECT_EQ(queue.requests(), 4U);
  EXPECT_EQ(bench.hardware.peek(hw::kPqhOffset), 4U);
}

TEST_F(PageQueueTest, PendingIsClearedThenAllIsDrained) {
  arrive(0x10, 5, kR | kL);
  queue.handle_interrupt();
  EXPECT_EQ(bench.hardware.take(true),
            (Events{"write ipsr 0x8", "read pqt", "write pqh 0x1", "read pqt", "read pqcsr"}));
}

TEST_F(PageQueueTest, AnswersHaveTheCodeAndWhereWantedThePasid) {
  arrive_of_process(9, 0x10000 | 5 << 3 | kR | kL);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_TRUE(groups[0].process_valid);
  EXPECT_EQ(groups[0].process_id, 9U);
  (void)bench.hardware.take();
  queue.answer(groups[0], domain::PageAnswer::kSuccess);
  queue.set_answers_with_pasid(kId, true);
  queue.answer(groups[0], domain::PageAnswer::kInvalid);
  queue.set_answers_with_pasid(kId, false);
  queue.answer(groups[0], domain::PageAnswer::kFailure);
  EXPECT_EQ(bench.hardware.take(), (Events{"ATS.PRGR rid=24 0x500000000", "ATS.PRGR rid=24 pid=9 0x100500000000",
                                           "ATS.PRGR rid=24 pid=9 0xf00500000000"}));
}

TEST_F(PageQueueTest, NobodysFaultsAreAnsweredInvalid) {
  arrive(0x10, 5, kR | kL, kId + 1);
  queue.set_handler(kId, nullptr);
  arrive(0x10, 6, kR | kL);
  queue.handle_interrupt();
  EXPECT_TRUE(groups.empty());
  const Events events = bench.hardware.take();
  EXPECT_EQ(std::count(events.begin(), events.end(), "ATS.PRGR rid=25 0x100500000000"), 1);
  EXPECT_EQ(std::count(events.begin(), events.end(), "ATS.PRGR rid=24 0x100600000000"), 1);
}

TEST_F(PageQueueTest, NobodysFaultsOfAProcessAreAnsweredAsTheDeviceWants) {
  queue.set_handler(kId, nullptr);
  queue.set_answers_with_pasid(kId, true);
  arrive_of_process(9, 0x10000 | 5 << 3 | kR | kL);
  queue.handle_interrupt();
  const Events events = bench.hardware.take();
  EXPECT_EQ(std::count(events.begin(), events.end(), "ATS.PRGR rid=24 pid=9 0x100500000000"), 1);
}

TEST_F(PageQueueTest, AStopMarkerEndsWhatItsProcessHasNotCompleted) {
  arrive_of_process(9, 0x10000 | 5 << 3 | kR);
  arrive_of_process(8, 0x20000 | 6 << 3 | kR);
  arrive_of_process(9, kL);
  queue.handle_interrupt();
  EXPECT_TRUE(groups.empty());
  EXPECT_EQ(queue.dropped(), 1U);
  arrive_of_process(8, 0x21000 | 6 << 3 | kR | kL);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].pages.size(), 2U);
}

TEST_F(PageQueueTest, AnOverflowDropsIncompleteGroupsAndReportingGoesOn) {
  arrive(0x10, 1, kR);
  arrive(0x20, 2, kR | kL);
  for (unsigned i = 0; i < 5; ++i) arrive(0x30 + i, 3, kR);
  arrive(0x11, 1, kR | kL);  // lost: the IOMMU answers it
  EXPECT_NE(bench.hardware.peek(hw::kPqcsrOffset) & hw::pqcsr::kPqofMask, 0U);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 1U) << "only the complete one";
  EXPECT_EQ(groups[0].index, 2U);
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_EQ(queue.overflows(), 1U);
  EXPECT_EQ(bench.hardware.peek(hw::kPqcsrOffset) & hw::pqcsr::kPqofMask, 0U);
  arrive(0x40, 1, kW | kL);
  queue.handle_interrupt();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[1].pages.size(), 1U) << "the name of a dropped group begins anew";
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
