// SPDX-License-Identifier: Apache-2.0
#include "timing/queue_engines.h"

#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

struct QueueEnginesTest : ::testing::Test {
  EngineParams params;
  PlainDriverParams driver_params;
  std::unique_ptr<TimedMachine> machine;
  std::unique_ptr<AddressSpace> space;

  QueueEnginesTest() {
    driver_params.memory_cycles = 50;
    driver_params.forward_cycles = 400;
  }
  TimedMachine& build() {
    machine = std::make_unique<TimedMachine>(params, driver_params);
    space = std::make_unique<AddressSpace>(machine->tables.space(8, 0));
    space->map(0x10000, 0x50000);
    space->map(0x11000, 0x51000);
    machine->tables.attach(5, *space);
    return *machine;
  }
  /// Cycles from the write of cqt until the head has moved by one.
  base::Cycle cycles_of(std::uint64_t word0, std::uint64_t word1 = 0) {
    machine->queue_command(word0, word1);
    const std::uint64_t before = machine->head();
    const base::Cycle start = machine->driver.now();
    machine->submit();
    while (machine->head() == before && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  }
};

TEST_F(QueueEnginesTest, CommandStartAndFinishCyclesAreTheCostOfACommand) {
  params.queues.command_start_cycles = 9;
  params.queues.command_finish_cycles = 4;
  build();
  EXPECT_EQ(cycles_of(iotinval_page(2), address_word(0x10000)), 9U + 50U + 4U);
}

TEST_F(QueueEnginesTest, CommandsOfAFullQueueFollowEachOther) {
  build();
  for (int i = 0; i < 3; ++i) machine->queue_command(iotinval_page(2), address_word(0x10000));
  machine->submit();
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->head(), 3U);
  EXPECT_EQ(machine->engine.stats().commands.executed.value(), 3U);
  EXPECT_EQ(machine->engine.stats().commands.iotinval_page.value(), 3U);
}

TEST_F(QueueEnginesTest, AFenceWaitsForForwardedDma) {
  build().translate(5, 0x10000);
  const base::Cycle alone = cycles_of(kFence);
  const base::Cycle start = machine->driver.now();
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x10000), 0));
  while (machine->driver.finished().size() < 2) ASSERT_TRUE(machine->driver.advance());
  const base::Cycle translated = machine->driver.now();
  const base::Cycle with_dma = cycles_of(kFence);
  EXPECT_EQ(translated + with_dma, translated + 400 + params.queues.command_finish_cycles)
      << "the head moves when the DMA is performed, " << alone << " cycles without one; began at " << start;
}

TEST_F(QueueEnginesTest, AFenceWithoutPrDoesNotWaitForReads) {
  build().translate(5, 0x10000);
  const base::Cycle alone = cycles_of(spec::opcode::kIofence);
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x10000), 0));
  while (machine->driver.finished().size() < 2) ASSERT_TRUE(machine->driver.advance());
  EXPECT_EQ(cycles_of(spec::opcode::kIofence | spec::iofence_w0::kPw.mask()), alone);
}

TEST_F(QueueEnginesTest, AFenceDoesNotWaitForLaterRequests) {
  build().translate(5, 0x10000);
  machine->driver.run_until_idle();
  machine->queue_command(kFence, 0);
  const base::Cycle start = machine->driver.now();
  machine->submit();
  bool passed = false;
  base::Cycle took = 0;
  for (int i = 0; i < 2000 && !passed; ++i) {  // a stream of hits that never ends
    machine->driver.offer(Machine::request(5, 0x10000), 0);
    machine->driver.advance();
    passed = machine->head() == machine->tail();
    took = machine->driver.now() - start;
  }
  EXPECT_TRUE(passed);
  EXPECT_LT(took, 50U + 400U + 50U) << "only what entered before the fence began is waited for";
}

TEST_F(QueueEnginesTest, FaultStartCyclesComeBeforeTheRecord) {
  const auto cycles = [&](std::uint32_t start_cycles) {
    params.queues.fault_start_cycles = start_cycles;
    build();
    machine->translate(5, 0x10000);
    const base::Cycle start = machine->driver.now();
    machine->driver.offer(Machine::request(5, 0x900000), 0);
    while (machine->driver.read_register(spec::kFqtOffset, 4) == 0) machine->driver.advance();
    return machine->driver.now() - start;
  };
  EXPECT_EQ(cycles(30) - cycles(0), 30U);
}

TEST_F(QueueEnginesTest, BusyCyclesIsHowLongDdtpStaysBusy) {
  params.registers.busy_cycles = 25;
  build();
  const base::Cycle start = machine->driver.now();
  machine->driver.write_register(spec::kDdtpOffset, 8, 0);
  const auto busy = [&] { return spec::ddtp::kBusy.is_set(machine->driver.read_register(spec::kDdtpOffset, 8)); };
  machine->driver.advance(start + 24);
  EXPECT_TRUE(busy());
  machine->driver.advance(start + 25);
  EXPECT_FALSE(busy());
}

TEST_F(QueueEnginesTest, AnotherRegisterWriteDoesNotProlongBusy) {
  params.registers.busy_cycles = 25;
  build();
  const base::Cycle start = machine->driver.now();
  const auto ddtp_busy = [&] { return spec::ddtp::kBusy.is_set(machine->driver.read_register(spec::kDdtpOffset, 8)); };
  const auto queue_on = [&] { return spec::fqcsr::kFqon.is_set(machine->driver.read_register(spec::kFqcsrOffset, 4)); };
  machine->driver.write_register(spec::kDdtpOffset, 8, 0);
  machine->driver.advance(start + 10);
  machine->driver.write_register(spec::kFqcsrOffset, 4, 0);
  machine->driver.advance(start + 20);
  machine->driver.write_register(spec::kIcvecOffset, 8, 0);
  machine->driver.advance(start + 24);
  EXPECT_TRUE(ddtp_busy());
  machine->driver.advance(start + 25);
  EXPECT_FALSE(ddtp_busy());
  machine->driver.advance(start + 34);
  EXPECT_TRUE(queue_on());
  machine->driver.advance(start + 35);
  EXPECT_FALSE(queue_on());
}

TEST_F(QueueEnginesTest, AHundredFaultsAgainstASlowQueueAreAllRecordedOrFlagged) {
  driver_params.memory_cycles = 500;
  build();
  for (std::uint64_t i = 0; i < 100;) {
    if (machine->driver.offer(Machine::request(5, 0x900000 + i * 0x1000), i))
      ++i;
    else
      ASSERT_TRUE(machine->driver.advance());
  }
  machine->driver.run_until_idle();
  const auto& faults = machine->engine.stats().faults;
  EXPECT_EQ(faults.reported.value(), 100U);
  EXPECT_EQ(faults.recorded.value() + faults.lost.value(), 100U);
  const bool overflow = spec::fqcsr::kFqof.is_set(machine->driver.read_register(spec::kFqcsrOffset, 4));
  EXPECT_EQ(faults.lost.value() != 0, overflow);
  EXPECT_EQ(machine->driver.read_register(spec::kFqtOffset, 4), faults.recorded.value());
}

TEST_F(QueueEnginesTest, AFenceWritesItsData) {
  build();
  cycles_of(spec::opcode::kIofence | spec::iofence_w0::kAv.mask() | spec::iofence_w0::kData.of(0x12345678),
            0x70000 >> 2);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->tables.memory.load32(0x70000), 0x12345678U);
}

TEST_F(QueueEnginesTest, AnInvalidationInEveryCycleOfAWalkLeavesNothingStaleAndNothingHanging) {
  for (base::Cycle at = 0; at < 400; at += 3) {
    build();
    ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x10000), 0));
    machine->driver.advance(machine->driver.now() + at);
    while (machine->driver.now() < at && machine->driver.advance(at)) {
    }
    machine->tables.memory.store(space->first_entry(0x10000, 0), 0x60000 >> 2 | flags::kAll);  // moved
    machine->queue_command(iotinval_page(2), address_word(0x10000));
    machine->queue_command(kFence, 0);
    machine->submit();
    machine->driver.run_until_idle();
    EXPECT_EQ(machine->head(), machine->tail());
    EXPECT_EQ(machine->translate(5, 0x10000).outcome.spa, 0x60000U)
        << "invalidated " << at << " cycles after the request";
  }
}

}  // namespace
}  // namespace iommusim::timing::test
