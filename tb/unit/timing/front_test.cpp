// SPDX-License-Identifier: Apache-2.0
// The knobs before the IOTLB, one by one, each to the cycle, and with the statistic that shows it: room and what
// happens without it, the register of a port's last page, micro TLBs, data of writes that waits.
#include <gtest/gtest.h>

#include "stats/report.h"
#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr std::uint64_t kFrontBase = 0x10000;

struct Front : ::testing::Test {
  EngineParams params;
  PlainDriverParams driver;
  std::unique_ptr<TimedMachine> machine;

  Front() { driver.memory_cycles = 40; }
  TimedMachine& build() {
    machine = std::make_unique<TimedMachine>(params, driver, 1);
    AddressSpace space = machine->tables.space(8, 0);
    for (std::uint64_t page = 0; page < 8; ++page) space.map(kFrontBase + page * 0x1000, 0x50000 + page * 0x1000);
    machine->tables.attach(5, space);
    machine->tables.attach(6, space);
    machine->driver.advance(machine->driver.now() + 100);
    return *machine;
  }
  static translate::Request page(std::uint64_t number, Access access = Access::kRead, std::uint32_t bytes = 1) {
    translate::Request request = Machine::request(5, kFrontBase + number * 0x1000, access);
    request.bytes = bytes;
    return request;
  }
  bool offer(const translate::Request& request, std::uint64_t cookie, std::uint32_t port = 0) {
    return machine->driver.offer(request, cookie, port);
  }
  /// All have come to their end.
  void rest() {
    machine->driver.run_until_idle();
    machine->engine.stats().advance(machine->driver.now());
    stats::check_identities(machine->root);
  }
  base::Cycle latency_of(std::uint64_t cookie) {
    for (const Finished& done : machine->driver.finished())
      if (done.cookie == cookie) return done.done - done.accepted;
    return base::kNever;
  }
  const EngineStats& stats() const { return machine->engine.stats(); }
};

TEST_F(Front, WhenFull_DropAnswersAtOnceWithAnErrorAndWithoutARecord) {
  params.ingress.depth = 2;
  params.slots = 3;
  build();
  unsigned taken = 0;
  while (taken < 10 && offer(page(0), taken)) ++taken;
  EXPECT_EQ(taken, 3U) << "stall";
  params.ingress.when_full = WhenFull::kDrop;
  build();
  machine->driver.finished().clear();
  for (unsigned i = 0; i < 5; ++i) ASSERT_TRUE(offer(page(0), i));
  ASSERT_EQ(machine->driver.finished().size(), 2U);
  EXPECT_EQ(machine->driver.finished()[0].cookie, 3U);
  EXPECT_EQ(machine->driver.finished()[0].done, machine->driver.now());
  EXPECT_EQ(machine->driver.finished()[0].outcome.response, translate::Response::kCompleterAbort);
  EXPECT_FALSE(machine->driver.finished()[0].forwards);
  rest();
  EXPECT_EQ(stats().requests.accepted.value(), 5U);
  EXPECT_EQ(stats().requests.dropped.value(), 2U);
  EXPECT_EQ(stats().requests.completed.value(), 3U);
  EXPECT_EQ(stats().faults.reported.value(), 0U);
}

TEST_F(Front, HitUnderMiss) {
  const auto hit_behind_miss = [this] {
    build().translate(5, kFrontBase);
    machine->translate(5, kFrontBase + 0x1000);
    machine->driver.finished().clear();
    offer(page(2), 0);  // misses: one read
    const base::Cycle later = machine->driver.now() + 10;
    while (machine->driver.advance(later)) {
    }
    offer(page(0), 1);
    rest();
    return std::pair{latency_of(0), latency_of(1)};
  };
  const auto [miss, hit] = hit_behind_miss();
  params.ingress.hit_under_miss = false;
  const auto [same_miss, late_hit] = hit_behind_miss();
  EXPECT_EQ(same_miss, miss);
  EXPECT_EQ(late_hit, (miss - 10) + hit) << "it enters when the miss is answered, not before";
}

TEST_F(Front, PageRegister_AHitOnThePortsLastPageIsNoLookup) {
  params.iotlb.lookup_cycles = 5;
  params.ingress.page_register = true;
  build().translate(5, kFrontBase);
  const std::uint64_t lookups = stats().iotlb.lookups.value();
  const base::Cycle again = machine->latency(5, kFrontBase + 0x800);
  EXPECT_EQ(again, params.ddt_cache.lookup_cycles);
  EXPECT_EQ(stats().iotlb.lookups.value(), lookups);
  EXPECT_EQ(stats().requests.register_hits.value(), 1U);
  machine->translate(5, kFrontBase + 0x1000);
  EXPECT_EQ(machine->latency(5, kFrontBase), again + 5) << "the register holds one page";
  machine->queue_command(spec::opcode::kIotinval, 0);
  machine->submit();
  rest();
  EXPECT_GT(machine->latency(5, kFrontBase), again + 5);
}

TEST_F(Front, PageRegister_ThePacketsOfAPageCountAsOneLookup) {
  for (const bool on : {false, true}) {
    params.ingress.page_register = on;
    build().translate(5, kFrontBase + 0x7000);  // the device context is known
    for (unsigned i = 0; i < 7; ++i)
      for (std::uint64_t packet = 0; packet < 16; ++packet)
        while (!offer(page(i), 16 * i + packet)) machine->driver.advance();
    rest();
    EXPECT_EQ(stats().requests.completed.value(), 113U);
    EXPECT_EQ(stats().iotlb.lookups.value(), on ? 8U : 113U);
    EXPECT_EQ(stats().iotlb.walks.value(), 8U);
    EXPECT_EQ(stats().requests.register_hits.value() + stats().requests.register_joined.value(), on ? 105U : 0U);
  }
}

TEST_F(Front, PageRegister_IsOfEachPort) {
  params.ingress.page_register = true;
  build().translate(5, kFrontBase);
  machine->translate(5, kFrontBase + 0x1000);
  const std::uint64_t lookups = stats().iotlb.lookups.value();
  for (unsigned i = 0; i < 4; ++i) {
    offer(page(0), 0, 0);
    offer(page(1), 1, 1);
    rest();
  }
  EXPECT_EQ(stats().iotlb.lookups.value(), lookups + 2);
}

TEST_F(Front, MicroTlb_LookupCyclesAndItsOwnStatistics) {
  params.iotlb.lookup_cycles = 6;
  build().translate(5, kFrontBase);
  const base::Cycle without = machine->latency(5, kFrontBase);
  params.micro_tlb.entries = 2;
  params.micro_tlb.lookup_cycles = 2;
  build().translate(5, kFrontBase);
  EXPECT_EQ(machine->latency(5, kFrontBase), without - 6 + 2);
  EXPECT_EQ(stats().micro_tlb.lookups.value(), 2U);
  EXPECT_EQ(stats().micro_tlb.hits_4k.value(), 1U);
  EXPECT_EQ(stats().iotlb.lookups.value(), 1U);
  for (std::uint64_t i = 1; i < 3; ++i) machine->translate(5, kFrontBase + i * 0x1000);
  EXPECT_EQ(machine->latency(5, kFrontBase), without + 2) << "two entries: it looks in vain and then in the IOTLB";
}

TEST_F(Front, MicroTlb_OfEachPortAndInvalidatedWithTheIotlb) {
  params.micro_tlb.entries = 4;
  build();
  const auto run = [this](std::uint32_t port) {
    offer(page(0), 0, port);
    rest();
    return stats().micro_tlb.hits.value();
  };
  EXPECT_EQ(run(0), 0U);
  EXPECT_EQ(run(1), 0U);
  EXPECT_EQ(run(0), 1U);
  EXPECT_EQ(run(1), 2U);
  machine->queue_command(iotinval_page(2), address_word(kFrontBase));
  machine->submit();
  rest();
  EXPECT_EQ(stats().micro_tlb.invalidated.value(), 2U);
  EXPECT_EQ(run(0), 2U);
}

TEST_F(Front, WriteBufferBytes_HoldsWritesBackAndNoReads) {
  params.ingress.write_buffer_bytes = 128;
  build();
  ASSERT_TRUE(offer(page(0, Access::kWrite, 64), 0));
  ASSERT_TRUE(offer(page(1, Access::kWrite, 64), 1));
  EXPECT_FALSE(offer(page(2, Access::kWrite, 1), 2));
  EXPECT_TRUE(offer(page(2), 3)) << "a read has no data";
  machine->engine.stats().advance(machine->driver.now());
  EXPECT_EQ(stats().requests.write_bytes.level(), 128U);
  rest();
  EXPECT_EQ(stats().requests.write_bytes.level(), 0U);
  EXPECT_GT(stats().requests.write_bytes.data().time_at_limit(), 0U);
  EXPECT_TRUE(offer(page(0, Access::kWrite, 4096), 4)) << "one that is larger than the buffer goes alone";
  EXPECT_FALSE(offer(page(1, Access::kWrite, 1), 5));
  rest();
}

TEST_F(Front, DeviceStatistics_TheFirstHaveTheirOwnAndTheRestShare) {
  params.device_statistics = 1;
  build().translate(5, kFrontBase);
  machine->translate(5, kFrontBase);
  machine->translate(6, kFrontBase);
  machine->translate(7, kFrontBase);  // no context
  rest();
  const std::string text = stats::to_text(stats::Snapshot(machine->root));
  for (const char* const line : {"devices.device0.id", "devices.device0.ended", "devices.others.faulted"})
    EXPECT_NE(text.find(line), std::string::npos) << text;
}

TEST_F(Front, OccupancyHistograms_SayHowLongWhatWasHowFull) {
  build().translate(5, kFrontBase);
  EXPECT_EQ(stats().walks.levels.data().count(), 0U);
  params.occupancy_histograms = true;
  build();
  const base::Cycle start = machine->driver.now();
  for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(offer(page(i), i));
  rest();
  const base::Cycle all = machine->driver.now();
  for (const stats::Histogram* levels : {&stats().walks.levels, &stats().requests.slot_levels,
                                         &stats().requests.queue_levels, &stats().iotlb.miss_table_levels})
    EXPECT_LE(levels->data().count(), all);
  EXPECT_EQ(stats().walks.levels.data().sum(), stats().walks.active.data().integral());
  EXPECT_EQ(stats().requests.slot_levels.data().sum(), stats().requests.in_flight.data().integral());
  EXPECT_EQ(stats().walks.levels.data().max(), 3U);
  EXPECT_EQ(stats().iotlb.miss_table_levels.data().max(), 3U);
  EXPECT_GE(stats().requests.queue_levels.data().count(), 1U);
  EXPECT_GT(all, start);
}

}  // namespace
}  // namespace iommusim::timing::test
