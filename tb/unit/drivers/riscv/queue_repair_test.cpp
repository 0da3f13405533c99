// SPDX-License-Identifier: Apache-2.0
// A command queue that hardware stopped: what is done instead, that nothing behind it is lost, and when it is given up.
#include <cerrno>
#include <thread>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

bool is_opcode(std::uint64_t word0, std::uint64_t opcode) { return (word0 & hw::command::kOpcodeMask) == opcode; }

struct QueueRepairTest : ::testing::Test {
  QueueRepairTest() {
    EXPECT_EQ(queue.enable(3), 0);
    (void)bench.hardware.take();
    bench.os.while_waiting = [this] { serve(); };
  }
  ~QueueRepairTest() override {
    bench.os.while_waiting = {};
    queue.disable();
    EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  }
  void serve() {
    if (serving || (bench.hardware.peek(hw::kIpsrOffset) & hw::ipsr::kCipMask) == 0) return;
    serving = true;
    queue.handle_interrupt();
    serving = false;
  }
  /// Commands that hardware carried out.
  Events done() {
    Events commands;
    for (const std::string& event : bench.hardware.take())
      if (event.rfind("write", 0) != 0) commands.push_back(event);
    return commands;
  }
  std::uint64_t entry(std::uint64_t index) {
    return ((bench.hardware.peek(hw::kCqbOffset) & hw::cqb::kPpnMask) >> hw::cqb::kPpnShift << 12) + 16 * index;
  }
  Bench bench;
  CommandQueue queue{bench.ports};
  bool serving = false;
};

TEST_F(QueueRepairTest, ACommandThatReadsWrongOnceIsDoneAtTheSecondTry) {
  unsigned refusals = 1;
  bench.hardware.refuse([&](std::uint64_t word0, std::uint64_t) {
    return is_opcode(word0, hw::opcode::kIotinval) && refusals != 0 && refusals--;
  });
  ASSERT_EQ(queue.submit(iotinval_page(7, 0x5000)), 0);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done(), (Events{"IOTINVAL.VMA pscid=7 addr=0x5000", "IOFENCE.C pr pw"}));
  EXPECT_EQ(queue.replaced(), 0U);
}

TEST_F(QueueRepairTest, ADamagedEntryIsWrittenAgain) {
  bench.hardware.pause(true);
  ASSERT_EQ(queue.submit(iotinval_page(7, 0x5000)), 0);
  bench.hardware.memory().store64(entry(0), 0x7e);  // no such opcode
  bench.hardware.refuse([](std::uint64_t word0, std::uint64_t) { return is_opcode(word0, 0x7e); });
  bench.hardware.pause(false);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done(), (Events{"IOTINVAL.VMA pscid=7 addr=0x5000", "IOFENCE.C pr pw"}));
  EXPECT_EQ(queue.replaced(), 0U);
}

TEST_F(QueueRepairTest, ARefusedRangeBecomesItsAddressSpace) {
  bench.hardware.refuse([](std::uint64_t, std::uint64_t word1) { return (word1 & hw::iotinval_w1::kSMask) != 0; });
  ASSERT_EQ(queue.submit(narrowed(iotinval_pscid(7), 0x4000, 14)), 0);
  ASSERT_EQ(queue.submit(iotinval_page(8, 0x1000)), 0);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done(), (Events{"IOTINVAL.VMA pscid=7", "IOTINVAL.VMA pscid=8 addr=0x1000", "IOFENCE.C pr pw"}))
      << "and what is behind it is not lost";
  EXPECT_EQ(queue.replaced(), 1U);
}

TEST_F(QueueRepairTest, EachCommandHasOthersThatCoverIt) {
  const auto covered_by = [&](const Command& command, unsigned steps) {
    unsigned refusals = steps + 2;  // the first is taken for a passing error, the second for a damaged entry
    bench.hardware.refuse([&](std::uint64_t word0, std::uint64_t) {
      return !is_opcode(word0, hw::opcode::kIofence) && refusals != 0 && refusals--;
    });
    EXPECT_EQ(queue.submit(command), 0);
    EXPECT_EQ(queue.fence(), 0);
    return done().front();
  };
  EXPECT_EQ(covered_by(iotinval_page(7, 0x5000), 1), "IOTINVAL.VMA pscid=7");
  EXPECT_EQ(covered_by(iotinval_page(7, 0x5000), 2), "IOTINVAL.VMA");
  EXPECT_EQ(covered_by(narrowed(iotinval_second_stage(3), 0x5000), 1), "IOTINVAL.GVMA gscid=3");
  EXPECT_EQ(covered_by(narrowed(iotinval_second_stage(3), 0x5000), 2), "IOTINVAL.GVMA");
  EXPECT_EQ(covered_by(with_non_leaf(narrowed(iotinval_of_guest(3), 0x5000)), 1), "IOTINVAL.VMA gscid=3");
  EXPECT_EQ(covered_by(inval_pdt(5, 9), 1), "INVAL_DDT did=5");
  EXPECT_EQ(covered_by(inval_pdt(5, 9), 2), "INVAL_DDT");
}

TEST_F(QueueRepairTest, ARefusedInvalidationOfADeviceCountsAsNotAnswered) {
  bench.hardware.refuse([](std::uint64_t word0, std::uint64_t) { return is_opcode(word0, hw::opcode::kAts); });
  const std::uint64_t before = queue.time_outs();
  ASSERT_EQ(queue.submit(ats_inval(24, 0, ~0ULL)), 0);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(queue.time_outs(), before + 1);
}

TEST_F(QueueRepairTest, WhatNothingCoversIsTheEnd) {
  bench.hardware.refuse([](std::uint64_t, std::uint64_t) { return true; });
  ASSERT_EQ(queue.submit(iotinval_all()), 0);
  EXPECT_NE(queue.fence(), 0);
  EXPECT_EQ(queue.submit(iotinval_all()), EIO);
  EXPECT_LT(bench.os.now_ns(), kQueueLimitNs) << "long before the limit of a fence";
}

TEST_F(QueueRepairTest, AFetchThatFailsAFewTimesIsTriedAgain) {
  bench.hardware.fail_fetches(entry(0), 16, 4);
  ASSERT_EQ(queue.submit(iotinval_pscid(7)), 0);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done(), (Events{"IOTINVAL.VMA pscid=7", "IOFENCE.C pr pw"}));
  EXPECT_EQ(queue.moves(), 0U);
}

TEST_F(QueueRepairTest, MemoryThatStaysBadIsLeft) {
  for (std::uint32_t i = 1; i <= 5; ++i) ASSERT_EQ(queue.submit(iotinval_pscid(i)), 0);
  (void)done();
  const std::uint64_t bad = entry(0);
  bench.hardware.fail_fetches(bad, 4096, ~0U);
  bench.hardware.pause(true);
  ASSERT_EQ(queue.submit(iotinval_pscid(6)), 0);
  ASSERT_EQ(queue.submit(iotinval_pscid(7)), 0);
  bench.hardware.pause(false);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done(), (Events{"IOTINVAL.VMA pscid=6", "IOTINVAL.VMA pscid=7", "IOFENCE.C pr pw"}))
      << "each once, in order";
  EXPECT_EQ(queue.moves(), 1U);
  EXPECT_NE(entry(0), bad);
  for (std::uint32_t i = 0; i < 20; ++i) ASSERT_EQ(queue.submit(iotinval_pscid(i)), 0);
  EXPECT_EQ(queue.fence(), 0);
  EXPECT_EQ(done().size(), 21U) << "around the new ring, too";
}

TEST_F(QueueRepairTest, WithoutOtherMemoryTheQueueIsDead) {
  std::vector<std::uint64_t> taken;
  while (const std::uint64_t frame = bench.frames.alloc(0)) taken.push_back(frame);
  bench.hardware.fail_fetches(entry(0), 4096, ~0U);
  ASSERT_EQ(queue.submit(iotinval_pscid(6)), 0);
  EXPECT_NE(queue.fence(), 0);
  EXPECT_EQ(queue.submit(iotinval_all()), EIO);
  for (const std::uint64_t frame : taken) bench.frames.free(frame, 0);
}

TEST(QueueRepairThreads, AMoveLosesNothingOfAnybody) {
  constexpr unsigned kThreads = 3, kCommands = 120;
  ScriptedIommu hardware;
  hal::ThreadOs os;
  hal::BuddyFrames frames(os, hardware.memory(), Bench::kFramesStart, 1 << 20);
  ManualInterrupts interrupts(4);
  const Ports ports{os, hardware, hardware.memory(), frames, interrupts};
  CommandQueue queue(ports);
  ASSERT_EQ(queue.enable(4), 0);
  (void)hardware.take();
  const std::uint64_t first = (hardware.peek(hw::kCqbOffset) & hw::cqb::kPpnMask) >> hw::cqb::kPpnShift << 12;
  std::atomic<unsigned> running{kThreads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < kCommands; ++i) {
        if (t == 0 && i == kCommands / 2) hardware.fail_fetches(first, 4096, ~0U);
        EXPECT_EQ(queue.submit(iotinval_page(t + 1, i * 4096ULL)), 0);
        if (i % 8 == 7) {
          EXPECT_EQ(queue.fence(), 0);
        }
      }
      EXPECT_EQ(queue.fence(), 0);
      --running;
    });
  while (running != 0) {
    if ((hardware.peek(hw::kIpsrOffset) & hw::ipsr::kCipMask) != 0) queue.handle_interrupt();
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(queue.moves(), 1U);
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
  EXPECT_EQ(frames.frames_in_use(), 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
