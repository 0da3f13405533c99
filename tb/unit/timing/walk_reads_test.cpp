// SPDX-License-Identifier: Apache-2.0
// Walks that read lines, keep them, and share reads: how many reads pages cost, and that no kept or shared entry shows
// more than memory and the commands allow.
#include "timing/walk_reads.h"

#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr base::Cycle kReadCycles = 50;
constexpr std::uint64_t kBase = 0x40000000;

struct WalkReadsTest : ::testing::Test {
  EngineParams params;
  PlainDriverParams driver_params;
  std::unique_ptr<TimedMachine> machine;
  std::unique_ptr<AddressSpace> space;

  WalkReadsTest() {
    driver_params.memory_cycles = kReadCycles;
    params.walk_lines.fetch = PteFetch::kLine;
  }
  TimedMachine& build(std::uint64_t pages, unsigned second = 0, bool rv32 = false, std::uint64_t tc = 0) {
    machine = std::make_unique<TimedMachine>(params, driver_params, 1);
    space = std::make_unique<AddressSpace>(machine->tables.space(8, second, 0, rv32));
    for (std::uint64_t page = 0; page < pages; ++page) space->map(kBase + page * 0x1000, kBase + page * 0x1000);
    machine->tables.attach(5, *space, tc);
    return *machine;
  }
  /// All pages in order, as many at once as the IOMMU takes.
  void stream(std::uint64_t pages) {
    for (std::uint64_t page = 0; page < pages; ++page)
      while (!machine->driver.offer(Machine::request(5, kBase + page * 0x1000), page)) machine->driver.advance();
    machine->driver.run_until_idle();
    for (const Finished& done : machine->driver.finished()) {
      ASSERT_EQ(done.outcome.kind, translate::Outcome::Kind::kTranslated);
      ASSERT_EQ(done.outcome.spa, kBase + done.cookie * 0x1000);
    }
    stats::check_identities(machine->root);
  }
  std::uint64_t reads(unsigned level) const {
    return machine->engine.stats().memory_port.of(translate::Structure::kFirstStage, level);
  }
  const EngineStats& stats() const { return machine->engine.stats(); }
};

/// The closed form of a stream: each line is read once, each table once, whatever is in flight.
TEST_F(WalkReadsTest, MergeReads_AStreamReadsEachLineAndTableOnce) {
  constexpr std::uint64_t kPages = 8000;
  params.memory_port.merge_reads = true;
  for (const std::uint32_t walkers : {1U, 2U, 7U, 32U})
    for (const std::uint32_t outstanding : {1U, 5U, 32U}) {
      params.walkers.count = walkers;
      params.memory_port.outstanding = outstanding;
      build(kPages);
      stream(kPages);
      SCOPED_TRACE(::testing::Message() << walkers << " walkers, " << outstanding << " outstanding");
      EXPECT_EQ(reads(0), 1000U);
      EXPECT_EQ(reads(1), 16U);
      EXPECT_EQ(reads(2), 1U);
      EXPECT_EQ(stats().walks.reads.data().sum(), 1017U) << "0.127125 a page";
    }
}

TEST_F(WalkReadsTest, Fetch_EntriesWithoutWalkCacheCostThreeReadsAPage) {
  params.walk_lines.fetch = PteFetch::kEntry;
  params.walk_cache.first_stage.level1.entries = params.walk_cache.first_stage.level2.entries = 0;
  params.walkers.count = 8;
  build(1000);
  stream(1000);
  for (unsigned level = 0; level < 3; ++level) EXPECT_EQ(reads(level), 1000U);
  EXPECT_EQ(stats().walk_lines.lookups.value(), 0U);
}

TEST_F(WalkReadsTest, Fetch_AKeptLineSavesTheReadOfANeighbour) {
  build(9);
  machine->translate(5, kBase);
  const base::Cycle kept = machine->latency(5, kBase + 0x7000), read = machine->latency(5, kBase + 0x8000);
  EXPECT_EQ(read, kept + kReadCycles);
  EXPECT_EQ(stats().walk_lines.hits.value(), 1U);
}

TEST_F(WalkReadsTest, Kept_LookupCyclesAndNoEntries) {
  const auto neighbour = [this] {
    build(2);
    machine->translate(5, kBase);
    return machine->latency(5, kBase + 0x1000);
  };
  const base::Cycle before = neighbour();
  params.walk_lines.kept.lookup_cycles = 3;
  EXPECT_EQ(neighbour(), before + 3);
  params.walk_lines.kept.entries = 0;
  EXPECT_EQ(neighbour(), before + kReadCycles);
}

TEST_F(WalkReadsTest, Levels_AllSaveTheReadOfTheNextTablesEntry) {
  const auto next_table = [this] {
    build(513);
    machine->translate(5, kBase);
    return machine->latency(5, kBase + 512 * 0x1000);
  };
  const base::Cycle before = next_table();
  params.walk_lines.levels = LineLevels::kAll;
  EXPECT_EQ(next_table(), before - kReadCycles + 1) << "two look-ups of a walk, through one port";
  params.walk_lines.kept.ports = 2;
  EXPECT_EQ(next_table(), before - kReadCycles);
}

TEST_F(WalkReadsTest, Fetch_BothByteOrdersBothWidths) {
  params.memory_port.merge_reads = true;
  for (const bool rv32 : {false, true})
    for (const bool big_endian : {false, true}) {
      spec::Implementation implementation;
      implementation.sv32 = implementation.gxl_writeable = implementation.end = implementation.be_writeable = true;
      machine = std::make_unique<TimedMachine>(params, driver_params, 1, implementation);
      machine->tables.memory.first_stage_big_endian = big_endian;
      space = std::make_unique<AddressSpace>(machine->tables.space(8, 0, 0, rv32));
      for (std::uint64_t page = 0; page < 20; ++page) space->map(kBase + page * 0x1000, kBase + page * 0x1000);
      const std::uint64_t sbe = big_endian ? spec::dc_tc::kSbe.mask() : 0;
      const std::uint64_t sxl = rv32 ? spec::dc_tc::kSxl.mask() : 0;
      machine->tables.attach(5, *space, sbe | sxl);
      stream(20);
      EXPECT_EQ(reads(0), rv32 ? 2U : 3U);
    }
}

/// IOMMU 2.8: what was not valid may not be remembered; making it valid asks for no command.
TEST_F(WalkReadsTest, AnEntryThatBecomesValidIsSeenWithoutACommand) {
  build(1);
  machine->translate(5, kBase);
  EXPECT_EQ(machine->translate(5, kBase + 0x1000).outcome.kind, translate::Outcome::Kind::kFault);
  space->map(kBase + 0x1000, kBase + 0x1000);
  EXPECT_EQ(machine->translate(5, kBase + 0x1000).outcome.kind, translate::Outcome::Kind::kTranslated);
  EXPECT_EQ(stats().walk_lines.refused.value(), 2U) << "the fault fetched the line anew, without the entry";
  EXPECT_EQ(stats().walk_lines.fills.value(), 3U);
}

/// The same for one who waits for a read: the answer may be older than the entry.
TEST_F(WalkReadsTest, WhoWaitsForAReadDoesNotFaultForItsAnswer) {
  params.memory_port.merge_reads = true;
  build(1);
  machine->translate(5, kBase);
  machine->queue_command(iotinval_page(2), address_word(kBase));
  machine->submit();
  machine->driver.run_until_idle();
  machine->driver.finished().clear();
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kBase), 0));
  while (reads(0) == 1) machine->driver.advance();  // memory has answered, the answer is on its way
  space->map(kBase + 0x1000, kBase + 0x1000);
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kBase + 0x1000), 1));
  machine->driver.run_until_idle();
  for (const Finished& done : machine->driver.finished())
    EXPECT_EQ(done.outcome.kind, translate::Outcome::Kind::kTranslated);
  EXPECT_EQ(stats().memory_port.merged.value(), 1U);
  EXPECT_EQ(stats().memory_port.merged_in_vain.value(), 1U);
  EXPECT_EQ(reads(0), 3U);
}

/// Nobody waits for a read that left before an invalidation that he entered after; and such a read keeps no line.
TEST_F(WalkReadsTest, AnInvalidationThatOvertakesAReadForbidsToShareAndToKeepIt) {
  params.memory_port.merge_reads = true;
  driver_params.memory_cycles = 200;
  build(9);
  machine->translate(5, kBase + 0x8000);  // contexts and tables are known from here on
  const std::uint64_t before = reads(0);
  machine->driver.finished().clear();
  const base::Cycle start = machine->driver.now();
  const auto until = [&](base::Cycle cycle) {
    while (machine->driver.advance(start + cycle)) {
    }
  };
  machine->queue_command(iotinval_page(2), address_word(kBase + 0x1000));
  machine->submit();  // executes when memory has delivered it
  until(100);
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kBase), 0));
  until(150);
  ASSERT_EQ(reads(0), before + 1);
  space->map(kBase + 0x1000, kBase + 0x9000);
  until(250);
  ASSERT_EQ(machine->head(), machine->tail());
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kBase + 0x1000), 1));
  until(290);
  EXPECT_EQ(reads(0), before + 2) << "its own read";
  until(320);
  EXPECT_EQ(stats().walk_lines.overtaken.value(), 1U);
  EXPECT_EQ(stats().memory_port.merged.value(), 0U);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->driver.finished().at(1).outcome.spa, kBase + 0x9000);
}

/// A neighbour that memory cannot deliver is no reason for a fault.
TEST_F(WalkReadsTest, ALineThatFailsIsReadEntryByEntry) {
  params.memory_port.merge_reads = true;
  build(8);
  machine->tables.memory.failing[space->first_entry(kBase + 0x7000, 0)] = translate::MemoryStatus::kCorrupt;
  for (std::uint64_t page = 0; page < 8; ++page)
    ASSERT_TRUE(machine->driver.offer(Machine::request(5, kBase + page * 0x1000), page));
  machine->driver.run_until_idle();
  for (const Finished& done : machine->driver.finished()) {
    EXPECT_EQ(done.outcome.kind,
              done.cookie == 7 ? translate::Outcome::Kind::kFault : translate::Outcome::Kind::kTranslated);
    EXPECT_EQ(done.outcome.fault.cause, done.cookie == 7 ? 274 : 0);
  }
  stats::check_identities(machine->root);
}

/// A and D are set in memory, where a kept entry is compared, and the kept line keeps up.
TEST_F(WalkReadsTest, UpdatesCompareWithMemory) {
  spec::Implementation implementation;
  implementation.amo_hwad = true;
  machine = std::make_unique<TimedMachine>(params, driver_params, 1, implementation);
  space = std::make_unique<AddressSpace>(machine->tables.space(8, 0));
  constexpr std::uint64_t kNeither = flags::kAll & ~(spec::pte::kA.mask() | spec::pte::kD.mask());
  for (std::uint64_t page = 0; page < 3; ++page) space->map(kBase + page * 0x1000, kBase, 0, kNeither);
  machine->tables.attach(5, *space, spec::dc_tc::kSade.mask());
  const auto entry = [this](std::uint64_t page) {
    return machine->tables.memory.load(space->first_entry(kBase + page * 0x1000, 0));
  };
  machine->translate(5, kBase);
  machine->translate(5, kBase + 0x1000);
  EXPECT_TRUE(spec::pte::kA.is_set(entry(1)));
  machine->translate(5, kBase, Access::kWrite);  // from the line, which has A by now
  EXPECT_TRUE(spec::pte::kD.is_set(entry(0)));
  EXPECT_EQ(machine->tables.memory.swaps, 3U);
  machine->tables.memory.store(space->first_entry(kBase + 0x2000, 0), 0);
  EXPECT_EQ(machine->translate(5, kBase + 0x2000).outcome.kind, translate::Outcome::Kind::kFault)
      << "the comparison finds the entry gone";
}

}  // namespace
}  // namespace iommusim::timing::test
