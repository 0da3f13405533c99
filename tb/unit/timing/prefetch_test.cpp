// SPDX-License-Identifier: Apache-2.0
// Prefetching: which pages, when, and that it leaves no trace but a translation that anyone might have had.
#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr std::uint64_t kPrefetchBase = 0x10000;

struct PrefetchTest : ::testing::Test {
  EngineParams params;
  PlainDriverParams driver;
  std::unique_ptr<TimedMachine> machine;
  std::unique_ptr<AddressSpace> space;

  PrefetchTest() {
    driver.memory_cycles = 40;
    params.prefetch.policy = Prefetch::kNextPage;
  }
  TimedMachine& build(std::uint64_t pages, std::uint64_t bits = flags::kAll, std::uint64_t tc = 0) {
    machine = std::make_unique<TimedMachine>(params, driver, 1);
    space = std::make_unique<AddressSpace>(machine->tables.space(8, 0));
    for (std::uint64_t page = 0; page < pages; ++page)
      space->map(kPrefetchBase + page * 0x1000, 0x50000 + page * 0x1000, 0, page == 0 ? flags::kAll : bits);
    machine->tables.attach(5, *space, tc);
    machine->driver.advance(machine->driver.now() + 100);
    return *machine;
  }
  std::uint64_t walks_after(std::uint64_t page) {
    machine->translate(5, kPrefetchBase + page * 0x1000);
    stats::check_identities(machine->root);
    return stats().walks.started.value();
  }
  const EngineStats& stats() const { return machine->engine.stats(); }
};

TEST_F(PrefetchTest, Policy_TheNextPageHitsWhereItMissed) {
  build(8);
  EXPECT_EQ(walks_after(0), 2U) << "one on demand, one prefetch";
  EXPECT_EQ(stats().walks.started_prefetch.value(), 1U);
  EXPECT_EQ(walks_after(1), 2U) << "a hit prefetches nothing";
  EXPECT_EQ(stats().prefetch.useful.value(), 1U);
  EXPECT_EQ(stats().iotlb.hits.value(), 1U);
  EXPECT_EQ(walks_after(2), 4U);
  params.prefetch.policy = Prefetch::kNone;
  build(8);
  EXPECT_EQ(walks_after(0), 1U);
  EXPECT_EQ(stats().prefetch.wanted.value(), 0U);
}

TEST_F(PrefetchTest, OnHit_TheFirstUseOfAPrefetchedPagePrefetchesOn) {
  params.prefetch.on_hit = true;
  build(8);
  EXPECT_EQ(walks_after(0), 2U);
  EXPECT_EQ(walks_after(1), 3U);
  EXPECT_EQ(walks_after(1), 3U) << "the first use only";
  EXPECT_EQ(walks_after(2), 4U);
  EXPECT_EQ(stats().iotlb.misses.value(), 1U);
}

TEST_F(PrefetchTest, Degree) {
  params.prefetch.degree = 3;
  build(8);
  EXPECT_EQ(walks_after(0), 4U);
  EXPECT_EQ(walks_after(3), 4U);
  EXPECT_EQ(walks_after(4), 8U);
}

TEST_F(PrefetchTest, Depth_MoreThanWaitAreGivenUp) {
  params.prefetch.degree = 4;
  params.prefetch.depth = 2;
  params.walkers.count = 1;
  build(8);
  EXPECT_EQ(walks_after(0), 3U);
  EXPECT_EQ(stats().prefetch.no_room.value(), 2U);
}

/// Demand goes first: with one walker a page that is asked for waits for a prefetch under way and for none that waits.
TEST_F(PrefetchTest, AWalkerThatARequestWantsIsNotTaken) {
  params.walkers.count = 1;
  build(8);
  for (std::uint64_t i : {0U, 4U})
    ASSERT_TRUE(machine->driver.offer(Machine::request(5, kPrefetchBase + i * 0x1000), i));
  while (stats().walks.started_demand.value() != 2) ASSERT_TRUE(machine->driver.advance());
  EXPECT_EQ(stats().walks.started_prefetch.value(), 0U);
  machine->driver.run_until_idle();
  EXPECT_EQ(stats().walks.started_prefetch.value(), 2U);
}

TEST_F(PrefetchTest, ARequestForThePageOfAPrefetchUnderWayWaitsForIt) {
  build(8);
  machine->translate(5, kPrefetchBase);
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kPrefetchBase + 0x4000), 0));
  while (stats().walks.started_prefetch.value() != 2) ASSERT_TRUE(machine->driver.advance());
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kPrefetchBase + 0x5000), 1));
  machine->driver.run_until_idle();
  EXPECT_EQ(stats().prefetch.late.value(), 1U);
  EXPECT_EQ(stats().iotlb.merged.value(), 1U);
  EXPECT_EQ(stats().walks.started.value(), 4U) << "two and their prefetches: none for the page that was prefetched";
}

/// A page without A, or that is not there, is given up without a fault and without a trace.
TEST_F(PrefetchTest, SetsNoAccessedBitAndReportsNoFault) {
  const std::uint64_t neither = flags::kAll & ~(flags::kA | flags::kD);
  build(2, neither, spec::dc_tc::kSade.mask());
  machine->translate(5, kPrefetchBase);
  EXPECT_EQ(machine->tables.memory.load(space->first_entry(kPrefetchBase + 0x1000, 0)) & flags::kA, 0U);
  EXPECT_EQ(machine->tables.memory.swaps, 0U);
  EXPECT_EQ(stats().prefetch.in_vain.value(), 1U);
  EXPECT_EQ(machine->translate(5, kPrefetchBase + 0x1000).outcome.kind, translate::Outcome::Kind::kTranslated);
  EXPECT_NE(machine->tables.memory.load(space->first_entry(kPrefetchBase + 0x1000, 0)) & flags::kA, 0U);
  EXPECT_EQ(stats().prefetch.in_vain.value(), 2U) << "page 2 is not mapped";
  EXPECT_EQ(stats().faults.reported.value(), 0U);
  EXPECT_EQ(stats().walks.ended_cancelled.value(), 2U);
}

/// A prefetch that an invalidation overtakes keeps nothing, and a fence waits for its reads.
TEST_F(PrefetchTest, AnInvalidationOvertakesAPrefetch) {
  driver.memory_cycles = 200;
  build(2);
  machine->translate(5, kPrefetchBase);
  machine->queue_command(spec::opcode::kIotinval, 0);
  machine->submit();
  machine->driver.run_until_idle();
  machine->queue_command(iotinval_page(2), address_word(kPrefetchBase + 0x1000));
  ASSERT_TRUE(machine->driver.offer(Machine::request(5, kPrefetchBase), 0));
  while (stats().walks.started_prefetch.value() != 2) ASSERT_TRUE(machine->driver.advance());
  machine->submit();  // fetched while the prefetch reads its leaf
  machine->driver.advance(machine->driver.now() + 30);
  space->map(kPrefetchBase + 0x1000, 0x90000);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->translate(5, kPrefetchBase + 0x1000).outcome.spa, 0x90000U);
  stats::check_identities(machine->root);
}

TEST_F(PrefetchTest, ASuperpageIsFollowedByTheNextOne) {
  build(0);
  space->map(0x40000000, 0x40000000, 1);
  space->map(0x40200000, 0x80000000, 0);
  machine->translate(5, 0x40001000);
  EXPECT_EQ(stats().walks.started.value(), 2U);
  machine->translate(5, 0x40200000);
  EXPECT_EQ(stats().prefetch.useful.value(), 1U);
}

}  // namespace
}  // namespace iommusim::timing::test
