// SPDX-License-Identifier: Apache-2.0
// Set-up of a queue: size by hardware, by memory, fixed memory, time limits.
#include "drivers/riscv/hardware_queue.h"

#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

constexpr QueueLayout kLayout{
    "test queue", hw::kCqbOffset, hw::kCqtOffset, hw::kCqcsrOffset, 3, 0x100, 0x10000, 0x20000, 1, 16};

TEST(HardwareQueue, SetUpInTheOrderOfTheContract) {
  Bench bench;
  HardwareQueue queue(bench.ports, kLayout);
  ASSERT_EQ(queue.enable(9), 0);
  EXPECT_EQ(bench.hardware.take(true), (Events{"write cqb 0x1f", "read cqb", "write cqb 0x20000008", "read cqb",
                                               "write cqcsr 0x103", "read cqcsr", "write ipsr 0x1"}));
  EXPECT_EQ(bench.hardware.peek(hw::kCqtOffset), 0U);
  EXPECT_EQ(queue.entries(), 512U);
  EXPECT_EQ(queue.entry(513), Bench::kFramesStart + 16);
  queue.disable();
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

TEST(HardwareQueue, TheLargestSizeOfHardwareBinds) {
  ScriptedIommu::Script script;
  script.largest_queue_log2 = 5;
  Bench bench(script);
  HardwareQueue queue(bench.ports, kLayout);
  ASSERT_EQ(queue.enable(13), 0);
  EXPECT_EQ(queue.entries(), 32U);
  queue.disable();
}

// IOMMU 5.6, 5.9: a queue of more than a page lies at a multiple of its size.
TEST(HardwareQueue, LargeQueuesAreAlignedToTheirSize) {
  for (const unsigned log2 : {8U, 9U, 13U}) {
    Bench bench;
    ASSERT_NE(bench.frames.alloc(0), 0U);  // the memory does not begin at a fitting address
    HardwareQueue queue(bench.ports, kLayout);
    ASSERT_EQ(queue.enable(log2), 0);
    EXPECT_EQ(queue.entries(), 1U << log2);
    EXPECT_EQ(queue.entry(0) % (std::uint64_t{16} << log2), 0U) << log2;
    EXPECT_EQ(queue.entry(1), queue.entry(0) + 16);
    queue.disable();
  }
}

TEST(HardwareQueue, HalvesWhileMemoryIsShort) {
  Bench bench;
  hal::BuddyFrames few(bench.os, bench.hardware.memory(), 0x90004000, 0x3000);  // no block above 8 KiB
  const Ports ports{bench.os, bench.hardware, bench.hardware.memory(), few, bench.interrupts};
  HardwareQueue queue(ports, kLayout);
  ASSERT_EQ(queue.enable(13), 0);
  EXPECT_EQ(queue.entries(), 512U);
  queue.disable();
  while (few.alloc(0) != 0) {
  }
  EXPECT_EQ(queue.enable(13), ENOMEM);
}

TEST(HardwareQueue, UsesMemoryThatHardwareInsistsOn) {
  ScriptedIommu::Script script;
  script.fixed_queue = 0xABC00;
  Bench bench(script);
  HardwareQueue queue(bench.ports, kLayout);
  ASSERT_EQ(queue.enable(3), 0);
  EXPECT_EQ(queue.entry(0), 0xABC00000U);
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  queue.disable();
}

TEST(HardwareQueue, WaitsForBusyUpToItsLimit) {
  ScriptedIommu::Script script;
  script.csr_busy_reads = 20;
  Bench bench(script);
  HardwareQueue queue(bench.ports, kLayout);
  EXPECT_EQ(queue.enable(3), 0);
  queue.disable();

  script.csr_busy_reads = ~0U;
  Bench stuck(script);
  HardwareQueue never(stuck.ports, kLayout);
  EXPECT_EQ(never.enable(3), EBUSY);
  EXPECT_GE(stuck.os.now_ns(), kQueueLimitNs);
  EXPECT_LT(stuck.os.now_ns(), kQueueLimitNs + 2000000);
  EXPECT_EQ(stuck.hardware.take().back(), "write cqcsr 0x0");
  EXPECT_EQ(stuck.frames.frames_in_use(), 0U);
}

TEST(HardwareQueue, OneThatDoesNotComeOnIsAnError) {
  ScriptedIommu::Script script;
  script.queue_comes_on = false;
  Bench bench(script);
  HardwareQueue queue(bench.ports, kLayout);
  EXPECT_EQ(queue.enable(3), EBUSY);
  EXPECT_EQ(bench.hardware.take().back(), "write cqcsr 0x0");
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
