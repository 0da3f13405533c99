// SPDX-License-Identifier: Apache-2.0
// The command queue protocol: order, wrap-around, a full queue with one and with several threads, time limits, errors.
#include "drivers/riscv/command_queue.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct CommandQueueTest : ::testing::Test {
  CommandQueueTest() {
    EXPECT_EQ(queue.enable(3), 0);
    (void)bench.hardware.take();
  }
  ~CommandQueueTest() override {
    queue.disable();
    EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  }
  Bench bench;
  CommandQueue queue{bench.ports};
};

TEST_F(CommandQueueTest, EachCommandMovesTheTailByOneAndWraps) {
  for (std::uint32_t i = 1; i <= 20; ++i) {
    ASSERT_EQ(queue.submit(iotinval_pscid(i)), 0);
    EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), i % 8);
  }
  const Events events = bench.hardware.take();
  ASSERT_EQ(events.size(), 20U);
  EXPECT_EQ(events.front(), "IOTINVAL.VMA pscid=1");
  EXPECT_EQ(events.back(), "IOTINVAL.VMA pscid=20");
}

TEST_F(CommandQueueTest, AFenceWaitsForTheHead) {
  bench.hardware.pause(true);
  ASSERT_EQ(queue.submit(iotinval_all()), 0);
  unsigned pauses = 0;
  bench.os.while_waiting = [&] {
    if (++pauses == 3) bench.hardware.step(1);
    if (pauses == 5) bench.hardware.step(1);
  };
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(pauses, 5U);
  EXPECT_EQ(bench.hardware.take(), (Events{"IOTINVAL.VMA", "IOFENCE.C pr pw"}));
}

TEST_F(CommandQueueTest, OneEntryStaysEmptyInAFullQueue) {
  bench.hardware.pause(true);
  unsigned pauses = 0;
  bench.os.while_waiting = [&] {
    EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 7U);  // the eighth is not written before there is room
    if (++pauses == 2) bench.hardware.step(1);
  };
  for (std::uint32_t i = 1; i <= 7; ++i) ASSERT_EQ(queue.submit(iotinval_pscid(i)), 0);
  EXPECT_EQ(pauses, 0U);
  ASSERT_EQ(queue.submit(iotinval_pscid(8)), 0);
  EXPECT_EQ(pauses, 2U);
  EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 0U);
}

TEST_F(CommandQueueTest, NoSpaceWithinTheLimitIsTheEndOfTheQueue) {
  bench.hardware.pause(true);
  for (std::uint32_t i = 0; i < 7; ++i) ASSERT_EQ(queue.submit(iotinval_all()), 0);
  EXPECT_EQ(queue.submit(iotinval_all()), ETIMEDOUT);
  EXPECT_GE(bench.os.now_ns(), kQueueLimitNs);
  EXPECT_LT(bench.os.now_ns(), kQueueLimitNs + 2000000);
  EXPECT_EQ(queue.submit(iotinval_all()), EIO);
  EXPECT_EQ(queue.fence(), EIO);
  EXPECT_EQ(bench.os.lines.size(), 1U);
}

TEST_F(CommandQueueTest, AFenceGivesUpAfterNinetySeconds) {
  bench.hardware.pause(true);
  EXPECT_EQ(queue.fence(), ETIMEDOUT);
  EXPECT_GE(bench.os.now_ns(), kInvalidationLimitNs);
  EXPECT_LT(bench.os.now_ns(), kInvalidationLimitNs + 10000000);
}

TEST_F(CommandQueueTest, ErrorBitsAreLoggedAndWrittenBackThenPendingIsCleared) {
  bench.hardware.set_bits(hw::kCqcsrOffset, static_cast<std::uint32_t>(hw::cqcsr::kCmdIllMask));
  bench.hardware.set_bits(hw::kIpsrOffset, static_cast<std::uint32_t>(hw::ipsr::kCipMask));
  queue.handle_interrupt();
  EXPECT_EQ(bench.hardware.take(), (Events{"write cqcsr 0x403", "write ipsr 0x1"}));
  EXPECT_EQ(bench.hardware.peek(hw::kCqcsrOffset) & 0xF00, 0U);
  ASSERT_EQ(bench.os.lines.size(), 1U);
  EXPECT_NE(bench.os.lines[0].find("illegal command"), std::string::npos);
}

TEST_F(CommandQueueTest, AnErrorThatPersistsIsAnsweredMoreAndMoreSlowly) {
  for (int i = 0; i < 40; ++i) {
    bench.hardware.set_bits(hw::kCqcsrOffset, static_cast<std::uint32_t>(hw::cqcsr::kCmdIllMask));
    queue.handle_interrupt();
  }
  EXPECT_GE(bench.os.now_ns(), 100000000U);
  EXPECT_EQ(bench.os.lines.size(), 10U);
}

TEST_F(CommandQueueTest, ABatchMovesTheTailOncePerLimit) {
  CommandBatch batch(queue, 4);
  for (std::uint32_t i = 1; i <= 3; ++i) ASSERT_EQ(batch.add(iotinval_pscid(i)), 0);
  EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 0U);
  ASSERT_EQ(batch.add(iotinval_pscid(4)), 0);
  EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 4U);
  ASSERT_EQ(batch.add(iotinval_pscid(5)), 0);
  std::uint64_t slot = 0;
  ASSERT_EQ(batch.close(slot), 0);
  EXPECT_EQ(slot, 5U);
  EXPECT_EQ(queue.wait_for_fence(slot), 0);
  EXPECT_EQ(bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOTINVAL.VMA pscid=2", "IOTINVAL.VMA pscid=3",
                                           "IOTINVAL.VMA pscid=4", "IOTINVAL.VMA pscid=5", "IOFENCE.C pr pw"}));
}

TEST_F(CommandQueueTest, ABatchWaitsForRoomForAllOfIt) {
  bench.hardware.pause(true);
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_EQ(queue.submit(iotinval_all()), 0);
  unsigned pauses = 0;
  bench.os.while_waiting = [&] {
    EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 5U);
    ++pauses;
    bench.hardware.step(1);
  };
  const std::array<Command, 4> commands{iotinval_all(), iotinval_all(), iotinval_all(), iotinval_all()};
  std::uint64_t last = 0;
  ASSERT_EQ(queue.submit(commands.data(), 4, last), 0);
  EXPECT_EQ(pauses, 2U) << "seven fit, nine were wanted";
  EXPECT_EQ(last, 8U);
  EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 1U);
}

TEST_F(CommandQueueTest, ABatchIsNeverLargerThanTheQueue) {
  CommandBatch batch(queue, 64);
  for (std::uint32_t i = 0; i < 20; ++i) ASSERT_EQ(batch.add(iotinval_all()), 0);
  ASSERT_EQ(batch.flush(), 0);
  EXPECT_EQ(bench.hardware.take().size(), 20U);
}

TEST(CommandQueueThreads, BatchesOfDifferentSizesFillTheQueueInOrder) {
  constexpr unsigned kThreads = 3, kBatches = 60;
  ScriptedIommu hardware;
  hal::ThreadOs os;
  hal::BuddyFrames frames(os, hardware.memory(), Bench::kFramesStart, 1 << 20);
  ManualInterrupts interrupts(4);
  const Ports ports{os, hardware, hardware.memory(), frames, interrupts};
  CommandQueue queue(ports);
  ASSERT_EQ(queue.enable(3), 0);
  (void)hardware.take();
  hardware.pause(true);
  std::atomic<unsigned> running{kThreads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      std::uint64_t address = 0, slot = 0;
      for (unsigned i = 0; i < kBatches; ++i) {
        CommandBatch batch(queue, 2 + t);
        for (unsigned k = 0; k <= i % 5; ++k, address += 4096) EXPECT_EQ(batch.add(iotinval_page(t + 1, address)), 0);
        EXPECT_EQ(batch.close(slot), 0);
        EXPECT_EQ(queue.wait_for_fence(slot), 0);
      }
      --running;
    });
  while (running != 0) {
    hardware.step(1);
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::uint64_t> next(kThreads + 1, 0);
  for (const std::string& event : hardware.take()) {
    unsigned pscid = 0;
    unsigned long long address = 0;
    if (std::sscanf(event.c_str(), "IOTINVAL.VMA pscid=%u addr=0x%llx", &pscid, &address) != 2) continue;
    EXPECT_EQ(address, next[pscid]);
    next[pscid] += 4096;
  }
  for (unsigned t = 1; t <= kThreads; ++t) EXPECT_EQ(next[t], 4096ULL * (kBatches / 5) * 15);
  queue.disable();
}

TEST(CommandQueueThreads, AFullQueueKeepsTheOrderOfEachThread) {
  constexpr unsigned kThreads = 3;
  constexpr unsigned kCommands = 200;
  ScriptedIommu hardware;
  hal::ThreadOs os;
  hal::BuddyFrames frames(os, hardware.memory(), Bench::kFramesStart, 1 << 20);
  ManualInterrupts interrupts(4);
  const Ports ports{os, hardware, hardware.memory(), frames, interrupts};
  CommandQueue queue(ports);
  ASSERT_EQ(queue.enable(2), 0);  // four entries: full all the time
  hardware.pause(true);
  (void)hardware.take();
  std::atomic<unsigned> running{kThreads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < kCommands; ++i) EXPECT_EQ(queue.submit(iotinval_page(t + 1, i * 4096ULL)), 0);
      EXPECT_EQ(queue.fence(), 0);
      --running;
    });
  while (running != 0) {
    hardware.step(1);
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  std::vector<unsigned> next(kThreads + 1, 0);
  for (const std::string& event : hardware.take()) {
    unsigned pscid = 0;
    unsigned long long address = 0;
    if (std::sscanf(event.c_str(), "IOTINVAL.VMA pscid=%u addr=0x%llx", &pscid, &address) != 2) continue;
    ASSERT_LE(pscid, kThreads);
    EXPECT_EQ(address, next[pscid]++ * 4096ULL);
  }
  for (unsigned t = 1; t <= kThreads; ++t) EXPECT_EQ(next[t], kCommands);
  queue.disable();
}

/// Counts the reads of cqh by thread.
class HeadReads final : public hal::Mmio {
 public:
  explicit HeadReads(hal::Mmio& target) : target_(target) {}
  std::uint32_t read32(std::uint32_t offset) override {
    if (offset == hw::kCqhOffset) {
      const std::lock_guard guard(lock_);
      ++counts_[std::this_thread::get_id()];
    }
    return target_.read32(offset);
  }
  std::uint64_t read64(std::uint32_t offset) override { return target_.read64(offset); }
  void write32(std::uint32_t offset, std::uint32_t value) override { target_.write32(offset, value); }
  void write64(std::uint32_t offset, std::uint64_t value) override { target_.write64(offset, value); }
  unsigned by(std::thread::id thread) {
    const std::lock_guard guard(lock_);
    return counts_[thread];
  }

 private:
  hal::Mmio& target_;
  std::mutex lock_;
  std::map<std::thread::id, unsigned> counts_;
};

TEST(CommandQueueThreads, OnlyTheFirstInLineLooksAtTheHead) {
  ScriptedIommu hardware;
  HeadReads mmio(hardware);
  hal::ThreadOs os;
  hal::BuddyFrames frames(os, hardware.memory(), Bench::kFramesStart, 1 << 20);
  ManualInterrupts interrupts(4);
  const Ports ports{os, mmio, hardware.memory(), frames, interrupts};
  CommandQueue queue(ports);
  ASSERT_EQ(queue.enable(2), 0);
  hardware.pause(true);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(queue.submit(iotinval_all()), 0);
  std::thread first([&] { EXPECT_EQ(queue.submit(iotinval_pscid(1)), 0); });
  const std::thread::id first_id = first.get_id();
  while (mmio.by(first_id) == 0) std::this_thread::yield();
  std::thread second([&] { EXPECT_EQ(queue.submit(iotinval_pscid(2)), 0); });
  const std::thread::id second_id = second.get_id();
  while (queue.submitted() < 5) std::this_thread::yield();
  const unsigned looks = mmio.by(first_id);
  while (mmio.by(first_id) < looks + 20) std::this_thread::yield();
  EXPECT_EQ(mmio.by(second_id), 0U);
  hardware.pause(false);
  first.join();
  second.join();
  queue.disable();
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
