// SPDX-License-Identifier: Apache-2.0
// Process contexts: what their look-ups, walks and invalidations cost, to the cycle; and no read without a walker.
#include <gtest/gtest.h>

#include "process_tables.h"
#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr base::Cycle kContextMemory = 100;

struct ContextsTest : ::testing::Test {
  EngineParams params;
  std::unique_ptr<TimedMachine> machine;
  std::unique_ptr<AddressSpace> space;
  std::unique_ptr<ProcessTables> processes;

  /// Device 5 with processes 0x20305 and 0x20306 in one address space.
  TimedMachine& build(unsigned levels = 3, unsigned second_mode = 0) {
    spec::Implementation implementation;
    implementation.pd8 = implementation.pd17 = implementation.pd20 = true;
    PlainDriverParams driver;
    driver.memory_cycles = kContextMemory;
    machine = std::make_unique<TimedMachine>(params, driver, 3, implementation);
    space = std::make_unique<AddressSpace>(machine->tables.space(8, second_mode));
    space->map(0x10000, 0x50000);
    processes = std::make_unique<ProcessTables>(machine->tables, *space, levels);
    const std::uint32_t first = levels == 1 ? 5 : levels == 2 ? 0x305 : 0x20305;
    processes->set(first, 7);
    processes->set(first + 1, 8);
    processes->attach(5);
    process_ = first;
    return *machine;
  }
  translate::Request request(std::uint32_t step = 0) const {
    translate::Request result = Machine::request(5, 0x10000);
    result.process_valid = true;
    result.process = base::ProcessId(process_ + step);
    return result;
  }
  Finished translate(std::uint32_t step = 0) {
    machine->driver.finished().clear();
    EXPECT_TRUE(machine->driver.offer(request(step), 0));
    machine->driver.run_until_idle();
    return machine->driver.finished().at(0);
  }
  base::Cycle latency(std::uint32_t step = 0) {
    const Finished done = translate(step);
    EXPECT_EQ(done.outcome.kind, translate::Outcome::Kind::kTranslated) << done.outcome.fault.cause;
    return done.done - done.accepted;
  }
  void command(std::uint64_t word0) {
    machine->queue_command(word0, 0);
    machine->submit();
    machine->driver.run_until_idle();
  }
  std::uint64_t inval_pdt() const {
    return spec::opcode::kIodir | spec::command::kFunc3.of(spec::iodir_func3::kInvalPdt) | spec::iodir_w0::kDv.mask() |
           spec::iodir_w0::kDid.of(5) | spec::iodir_w0::kPid.of(process_);
  }
  std::uint32_t process_ = 0;
};

TEST_F(ContextsTest, AHitOfPdtCacheCostsItsLookupCycles) {
  params.pdt_cache.lookup_cycles = 4;
  build();
  EXPECT_EQ(latency(), 1U + 3 * kContextMemory + 4U + 3 * kContextMemory + 1U + 1U + 3 * kContextMemory);
  EXPECT_EQ(latency(), 1U + 4U + 1U);
  stats::check_identities(machine->root);
}

TEST_F(ContextsTest, DirectoryCacheHoldsNonLeafEntriesOfProcessDirectories) {
  build();
  latency();
  // Another process of the same table: its context and its page table (another PSCID) are read, nothing else.
  EXPECT_EQ(latency(1), 1U + 1U + kContextMemory + 1U + 1U + 3 * kContextMemory);
  EXPECT_EQ(machine->engine.stats().process_directory_walks.started.value(), 2U);
  EXPECT_EQ(machine->engine.stats().pdt_cache.walks.value(), 2U);
}

TEST_F(ContextsTest, InvalPdtTakesOneContextInvalDdtAllOfTheDevice) {
  build();
  latency();
  latency(1);
  command(inval_pdt());
  EXPECT_EQ(machine->engine.stats().pdt_cache.invalidated.value(), 1U);
  EXPECT_EQ(latency(1), 3U) << "the other process is untouched";
  EXPECT_EQ(latency(), 1U + 1U + kContextMemory + 1U);
  command(kInvalAllDevices | spec::iodir_w0::kDv.mask() | spec::iodir_w0::kDid.of(5));
  EXPECT_EQ(machine->engine.stats().pdt_cache.invalidated.value(), 3U);
  EXPECT_EQ(latency(), 1U + kContextMemory + 1U + 3 * kContextMemory + 1U)
      << "the process directory is read from its root";
}

TEST_F(ContextsTest, WalksReadWhatTheSpecificationSays) {
  for (const unsigned second : {0U, 8U, 9U})
    for (unsigned levels = 1; levels <= 3; ++levels) {
      params = bare_params();
      params.pdt_cache.entries = 0;
      build(levels, second);
      latency();
      const unsigned second_levels = second == 0 ? 0 : second - 5;
      EXPECT_EQ(machine->tables.memory.reads_of(translate::Structure::kPdt), levels);
      EXPECT_EQ(machine->tables.memory.reads_of(translate::Structure::kSecondStageImplicit),
                (levels + 3) * second_levels);
      EXPECT_EQ(machine->engine.stats().process_directory_walks.reads.data().sum(), levels * (1 + second_levels));
      stats::check_identities(machine->root);
    }
}

TEST_F(ContextsTest, RequestsOfOneProcessShareOneDirectoryWalk) {
  build();
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.offer(request(), i));
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->engine.stats().pdt_cache.walks.value(), 1U);
  EXPECT_EQ(machine->engine.stats().pdt_cache.merged.value(), 3U);
  EXPECT_EQ(machine->engine.stats().walks.started.value(), 1U);
}

TEST_F(ContextsTest, AFaultOfTheProcessDirectoryFreesTheWalkerAndIsRecorded) {
  build(3, 8);
  machine->tables.memory.store(processes->entry(process_), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(translate().outcome.fault.cause, 266);
  machine->tables.memory.store(space->second_entry(0x40000000, 0), 0);
  machine->tables.memory.failing[processes->entry(process_ + 1)] = translate::MemoryStatus::kAccessFault;
  EXPECT_EQ(translate(1).outcome.fault.cause, 265);
  EXPECT_EQ(machine->engine.stats().process_directory_walks.ended_fault.value(), 4U);
  EXPECT_EQ(machine->engine.stats().faults.recorded.value(), 4U);
  EXPECT_TRUE(machine->engine.idle());
  stats::check_identities(machine->root);
}

TEST_F(ContextsTest, InvalPdtInEveryCycleOfAWalkLeavesNothingStale) {
  for (base::Cycle at = 0; at < 1000; at += 7) {
    build();
    ASSERT_TRUE(machine->driver.offer(request(), 0));
    const base::Cycle end = machine->driver.now() + at;
    while (machine->driver.advance(end)) {
    }
    machine->tables.memory.store(processes->entry(process_), 0);  // gone
    command(inval_pdt());
    EXPECT_EQ(translate().outcome.fault.cause, 266) << "invalidated " << at << " cycles after the request";
  }
}

/// A read of an MSI PTE needs no page table, and a walker like all others.
TEST(MsiWalks, AreLimitedByTheNumberOfWalkers) {
  spec::Implementation implementation;
  implementation.msi_flat = true;
  for (const std::uint32_t walkers : {1U, 2U, 4U}) {
    EngineParams params;
    params.walkers.count = walkers;
    PlainDriverParams driver;
    driver.memory_cycles = kContextMemory;
    TimedMachine machine(params, driver, 3, implementation);
    const std::uint64_t table = machine.tables.frames.take();
    spec::DeviceContext context;
    context.words = {1, machine.tables.space(0, 8).iohgatp(1), 0, 0, 1ULL << 60 | table >> 12, 7, 0x28000};
    machine.tables.set_context(7, context);
    for (std::uint64_t file = 0; file < 8; ++file)
      machine.tables.memory.store(table + 16 * file, 7 | (0x99990 + file) << 10);
    machine.translate(7, 0x28000000, Access::kWrite);
    machine.driver.finished().clear();
    const base::Cycle start = machine.driver.now();
    for (std::uint64_t file = 0; file < 4; ++file)
      ASSERT_TRUE(machine.driver.offer(Machine::request(7, 0x28000000 + (file << 12), Access::kWrite), file));
    machine.driver.run_until_idle();
    const base::Cycle all = machine.driver.finished().back().done - start;
    EXPECT_GE(all, 4 / walkers * kContextMemory);
    EXPECT_LE(all, 4 / walkers * kContextMemory + 5);
    EXPECT_EQ(machine.engine.stats().walks.active.data().max(), walkers);
    EXPECT_EQ(machine.engine.stats().iotlb.walks.value(), 0U) << "the IOTLB was not asked";
    stats::check_identities(machine.root);
  }
}

}  // namespace
}  // namespace iommusim::timing::test
