// SPDX-License-Identifier: Apache-2.0
// Closed forms: what a request costs is the sum of the parameters it meets, exactly; and walks read what the
// architecture says.
#include "timing/engine.h"

#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr base::Cycle kMemory = 100;

PlainDriverParams memory_of(base::Cycle cycles) {
  PlainDriverParams params;
  params.memory_cycles = cycles;
  return params;
}

struct WalkCase {
  unsigned ddt_levels, first_mode, second_mode, first_leaf, second_leaf;
};

/// Reads by structure against (Ls - ks + 1)(Lg - kg + 1) - 1 and 1 to 3 directory reads, with all caches off.
TEST(Engine, WalksReadExactlyWhatTheSpecificationSays) {
  constexpr unsigned kModes[] = {0, 8, 9, 10};
  for (unsigned ddt_levels = 1; ddt_levels <= 3; ++ddt_levels)
    for (const unsigned first : kModes)
      for (const unsigned second : kModes)
        for (unsigned first_leaf = 0; first_leaf <= (first == 0 ? 0U : 2U); ++first_leaf)
          for (unsigned second_leaf = 0; second_leaf <= (second == 0 ? 0U : 2U); ++second_leaf) {
            const WalkCase c{ddt_levels, first, second, first_leaf, second_leaf};
            TimedMachine machine(bare_params(), memory_of(10), ddt_levels);
            AddressSpace space = machine.tables.space(first, second, second_leaf);
            space.map(0xC0000000, 0xC0000000, first_leaf);
            machine.tables.attach(5, space);
            ASSERT_EQ(machine.translate(5, 0xC0000000).outcome.kind, translate::Outcome::Kind::kTranslated);

            const unsigned first_levels = first == 0 ? 0 : first - 5;
            const unsigned second_levels = second == 0 ? 0 : second - 5;
            const unsigned first_reads = first == 0 ? 0 : first_levels - first_leaf;
            const unsigned per_address = second == 0 ? 0 : second_levels - second_leaf;
            const unsigned total = (first_reads + 1) * (per_address + 1) - 1;
            const auto reads = [&](translate::Structure structure) {
              unsigned sum = 0;
              for (unsigned level = 0; level < 5; ++level)
                if (structure != translate::Structure::kDdt || level < 3)
                  sum += static_cast<unsigned>(machine.engine.stats().memory_port.of(structure, level));
              return sum;
            };
            SCOPED_TRACE(::testing::Message() << "ddt " << c.ddt_levels << " first " << c.first_mode << "/"
                                              << c.first_leaf << " second " << c.second_mode << "/" << c.second_leaf);
            EXPECT_EQ(reads(translate::Structure::kDdt), ddt_levels);
            EXPECT_EQ(reads(translate::Structure::kFirstStage), first_reads);
            EXPECT_EQ(reads(translate::Structure::kSecondStage), per_address);
            EXPECT_EQ(reads(translate::Structure::kSecondStageImplicit), first_reads * per_address);
            EXPECT_EQ(machine.engine.stats().walks.reads.data().sum(), total);
            EXPECT_EQ(machine.tables.memory.reads_of(translate::Structure::kFirstStage), first_reads);
            stats::check_identities(machine.root);
          }
}

struct LatencyTest : ::testing::Test {
  EngineParams params;
  std::unique_ptr<TimedMachine> machine;

  TimedMachine& build() {
    machine = std::make_unique<TimedMachine>(params, memory_of(kMemory));
    AddressSpace space = machine->tables.space(8, 0);
    for (std::uint64_t page = 0; page < 8; ++page) space.map(0x10000 + page * 0x1000, 0x50000 + page * 0x1000);
    machine->tables.attach(5, space);
    return *machine;
  }
};

TEST_F(LatencyTest, AHitCostsBothLookups) {
  params.ddt_cache.lookup_cycles = 3;
  params.iotlb.lookup_cycles = 5;
  build().translate(5, 0x10000);
  EXPECT_EQ(machine->latency(5, 0x10000), 3U + 5U);
}

TEST_F(LatencyTest, AMissAddsTheWalkCacheLookupAndItsReads) {
  params.walk_cache.lookup_cycles = 4;
  build().translate(5, 0x10000);
  // The level-1 entry is cached: one read is left.
  EXPECT_EQ(machine->latency(5, 0x11000), 1U + 1U + 4U + kMemory);
}

TEST_F(LatencyTest, AColdRequestReadsTheDirectoryAndAllLevels) {
  build();
  EXPECT_EQ(machine->latency(5, 0x10000), 1U + 3 * kMemory + 1U + 1U + 3 * kMemory);
}

TEST_F(LatencyTest, DirectoryCacheSavesTheNonLeafReads) {
  build().translate(5, 0x10000);
  machine->queue_command(kInvalAllDevices | spec::iodir_w0::kDv.mask() | spec::iodir_w0::kDid.of(5), 0);
  machine->submit();
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->latency(5, 0x10000), 1U + kMemory + 1U) << "the context is read again, the levels above are not";
}

TEST_F(LatencyTest, WalksOverlapUpToTheNumberOfWalkers) {
  params.walk_cache.first_stage.level1.entries = params.walk_cache.first_stage.level2.entries = 0;
  for (const std::uint32_t walkers : {1U, 2U, 4U}) {
    params.walkers.count = walkers;
    build().translate(5, 0x10000);
    machine->driver.finished().clear();
    const base::Cycle start = machine->driver.now();
    for (std::uint64_t page = 1; page <= 4; ++page)
      ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x10000 + page * 0x1000), page));
    machine->driver.run_until_idle();
    const base::Cycle all = machine->driver.finished().back().done - start;
    const base::Cycle walk = 3 * kMemory + 1;
    const base::Cycle rounds = 4 / walkers;
    EXPECT_GE(all, rounds * walk) << walkers;
    EXPECT_LE(all, rounds * walk + 10) << walkers;
    EXPECT_EQ(machine->engine.stats().walks.active.data().max(), walkers);
  }
}

TEST_F(LatencyTest, RequestsOfOnePageShareOneWalk) {
  build().translate(5, 0x10000);
  machine->driver.finished().clear();
  const auto walks = machine->engine.stats().walks.started.value();
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x11000 + i * 64), i));
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->engine.stats().walks.started.value(), walks + 1);
  EXPECT_EQ(machine->engine.stats().iotlb.merged.value(), 3U);
  for (const Finished& done : machine->driver.finished()) EXPECT_EQ(done.outcome.spa, 0x51000 + done.cookie * 64);
}

TEST_F(LatencyTest, HandOverSavesThoseWhoWaitedTheSecondLookup) {
  base::Cycle all[2] = {};
  for (const bool hand_over : {true, false}) {
    params.miss_table.hand_over = hand_over;
    build().translate(5, 0x10000);
    const auto lookups = machine->engine.stats().iotlb.lookups.value();
    const base::Cycle start = machine->driver.now();
    machine->driver.finished().clear();
    for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x11000 + i * 64), i));
    machine->driver.run_until_idle();
    all[hand_over ? 1 : 0] = machine->driver.finished().back().done - start;
    EXPECT_EQ(machine->engine.stats().iotlb.lookups.value() - lookups, hand_over ? 4U : 7U);
    stats::check_identities(machine->root);
  }
  EXPECT_EQ(all[0] - all[1], 3U) << "three look-ups behind one port";
}

TEST_F(LatencyTest, AFenceEndsUnderEndlessTrafficThatEvictsEverything) {
  params.iotlb.entries = 1;
  params.walkers.count = 2;
  build().translate(5, 0x10000);
  machine->queue_command(kFence, 0);
  machine->submit();
  base::Random random(1);
  const base::Cycle start = machine->driver.now();
  for (std::uint64_t i = 0; machine->head() != machine->tail(); ++i) {
    ASSERT_LT(machine->driver.now(), start + 20 * kMemory);
    machine->driver.offer(Machine::request(5, 0x10000 + random.below(8) * 0x1000), i);
    machine->driver.advance();
  }
}

TEST_F(LatencyTest, WithoutMergingEachMissWalksUnlessLookingAgainHits) {
  params.miss_table.merge = false;
  params.walkers.look_again = false;
  build().translate(5, 0x10000);
  const auto walks = machine->engine.stats().walks.started.value();
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x11000 + i * 64), i));
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->engine.stats().walks.started.value(), walks + 4);

  params.walkers.look_again = true;
  params.walkers.count = 1;
  build().translate(5, 0x10000);
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.offer(Machine::request(5, 0x11000 + i * 64), i));
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->engine.stats().iotlb.look_again_hits.value(), 3U);
  stats::check_identities(machine->root);
}

TEST_F(LatencyTest, AFaultIsAnsweredAndRecorded) {
  build();
  const Finished done = machine->translate(5, 0x900000);
  EXPECT_EQ(done.outcome.kind, translate::Outcome::Kind::kFault);
  EXPECT_EQ(done.outcome.fault.cause, 13);
  EXPECT_EQ(machine->engine.stats().faults.recorded.value(), 1U);
  EXPECT_EQ(machine->driver.read_register(spec::kFqtOffset, 4), 1U);
  EXPECT_EQ(machine->tables.memory.load(machine->tables.fault_address(0)) & 0xfff, 13U);
  EXPECT_TRUE(machine->engine.idle());
}

}  // namespace
}  // namespace iommusim::timing::test
