// SPDX-License-Identifier: Apache-2.0
// The performance monitor at the right cycles; the debug interface; the command gate.
#include "timing/monitor.h"

#include <gtest/gtest.h>

#include "process_tables.h"
#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

spec::Implementation with_monitor() {
  spec::Implementation implementation;
  implementation.hpm = implementation.dbg = implementation.pd20 = implementation.ats = true;
  implementation.num_hpm = 9;
  return implementation;
}

struct MonitorTest : ::testing::Test {
  TimedMachine machine{{}, {}, 3, with_monitor()};
  std::uint64_t cycles() { return machine.driver.read_register(spec::kIohpmcyclesOffset, 8); }
  bool pending() { return spec::ipsr::kPmip.is_set(machine.driver.read_register(spec::kIpsrOffset, 4)); }
  std::uint64_t counter(unsigned event) {
    return machine.driver.read_register(spec::kIohpmctrOffset + 8 * (event - 1), 8);
  }
};

TEST_F(MonitorTest, CyclesAreThoseOfTheClockUnlessInhibited) {
  EXPECT_EQ(cycles(), machine.driver.now());
  machine.driver.advance(machine.driver.now() + 1234);
  EXPECT_EQ(cycles(), machine.driver.now());
  const std::uint64_t before = cycles();
  machine.driver.write_register(spec::kIocountinhOffset, 4, spec::iocountinh::kCy.mask());
  machine.driver.advance(machine.driver.now() + 500);
  EXPECT_EQ(cycles(), before);
  machine.driver.write_register(spec::kIocountinhOffset, 4, 0);
  machine.driver.advance(machine.driver.now() + 7);
  EXPECT_EQ(cycles(), before + 7);
}

TEST_F(MonitorTest, OverflowOfTheCyclesInterruptsInItsCycle) {
  machine.driver.write_register(spec::kIohpmcyclesOffset, 8, (1ULL << 63) - 1000);
  const base::Cycle start = machine.driver.now();
  const auto go_to = [&](base::Cycle cycle) {
    while (machine.driver.advance(cycle)) {
    }
  };
  go_to(start + 999);
  EXPECT_FALSE(machine.engine.registers().read(spec::kIpsrOffset, 4) & spec::ipsr::kPmip.mask());
  EXPECT_EQ(machine.engine.next_timer(), start + 1000);
  go_to(start + 1000);
  EXPECT_TRUE(machine.engine.registers().read(spec::kIpsrOffset, 4) & spec::ipsr::kPmip.mask()) << "nobody looked";
  EXPECT_EQ(machine.engine.next_timer(), base::kNever) << "OF is set";
  EXPECT_EQ(cycles(), 1ULL << 63);
}

TEST_F(MonitorTest, IdleTimeIsNotWaitedFor) {
  EXPECT_NE(machine.engine.next_timer(), base::kNever);
  const base::Cycle before = machine.driver.now();
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.driver.now(), before);
}

TEST_F(MonitorTest, EventsAreCountedWhereTheyHappen) {
  for (unsigned event = 1; event <= 8; ++event)
    machine.driver.write_register(spec::kIohpmevtOffset + 8 * (event - 1), 8, spec::iohpmevt::kEventId.of(event));
  AddressSpace space = machine.tables.space(8, 8);
  space.map(0x10000, 0x50000);
  ProcessTables processes(machine.tables, space, 3);
  processes.set(3, 9);
  processes.attach(5, spec::dc_tc::kEnAts.mask());
  translate::Request request = Machine::request(5, 0x10000);
  request.process_valid = true;
  request.process = base::ProcessId(3);
  ASSERT_TRUE(machine.driver.offer(request, 0));
  machine.driver.run_until_idle();
  ASSERT_TRUE(machine.driver.offer(request, 1));
  request.type = translate::AddressType::kAtsRequest;
  ASSERT_TRUE(machine.driver.offer(request, 2));
  request.type = translate::AddressType::kTranslated;
  ASSERT_TRUE(machine.driver.offer(request, 3));
  machine.driver.run_until_idle();
  const unsigned expected[] = {2, 1, 1, 1, 1, 1, 1, 3 + 3 + 1};  // PDT entries, first-stage entries, the page
  for (unsigned event = 1; event <= 8; ++event) EXPECT_EQ(counter(event), expected[event - 1]) << event;
}

/// What the monitor counts and what the statistics say is the same, whatever is in front of the IOTLB or walks ahead.
TEST(MonitorStatistics, EventsEqualTheStatistics) {
  EngineParams params;
  params.micro_tlb.entries = 2;
  params.iotlb.entries = 4;
  params.prefetch.policy = Prefetch::kNextPage;
  params.walk_lines.fetch = PteFetch::kLine;
  params.memory_port.merge_reads = true;
  params.ddt_cache.entries = 1;
  spec::Implementation implementation;
  implementation.hpm = true;
  implementation.num_hpm = 9;
  TimedMachine machine(params, {}, 2, implementation);
  for (unsigned event = 1; event <= 8; ++event)
    machine.driver.write_register(spec::kIohpmevtOffset + 8 * (event - 1), 8, spec::iohpmevt::kEventId.of(event));
  for (std::uint32_t device = 5; device < 7; ++device) {
    AddressSpace space = machine.tables.space(8, 0);
    for (std::uint64_t page = 0; page < 16; ++page) space.map(0x10000 + page * 0x1000, 0x50000);
    machine.tables.attach(device, space, 0, 1, device);
  }
  for (std::uint64_t i = 0; i < 300; ++i)
    while (!machine.driver.offer(
        Machine::request(static_cast<std::uint32_t>(5 + i / 8 % 2), 0x10000 + i * 7 % 17 * 0x1000), i, i % 2))
      ASSERT_TRUE(machine.driver.advance());
  machine.driver.run_until_idle();
  const EngineStats& stats = machine.engine.stats();
  const auto counter = [&](unsigned event) {
    return machine.driver.read_register(spec::kIohpmctrOffset + 8 * (event - 1), 8);
  };
  EXPECT_EQ(counter(1), stats.requests.accepted.value());
  EXPECT_EQ(counter(2) + counter(3), 0U);
  EXPECT_EQ(counter(4), stats.iotlb.misses.value());
  EXPECT_EQ(counter(5), stats.directory_walks.started.value());
  EXPECT_EQ(counter(7), stats.walks.started.value());
  EXPECT_GT(stats.walks.started_prefetch.value(), 0U);
  EXPECT_GT(stats.micro_tlb.hits.value(), 0U);
  stats::check_identities(machine.root);
}

TEST_F(MonitorTest, OverflowOfAnEventCounterInterrupts) {
  machine.driver.write_register(spec::kIohpmevtOffset, 8, spec::iohpmevt::kEventId.of(1));
  machine.driver.write_register(spec::kIohpmctrOffset, 8, ~0ULL);
  EXPECT_FALSE(pending());
  machine.translate(5, 0x10000);
  EXPECT_TRUE(pending());
}

TEST_F(MonitorTest, TheDebugInterfaceTranslatesInTime) {
  AddressSpace space = machine.tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine.tables.attach(5, space);
  machine.driver.write_register(spec::kTrReqIovaOffset, 8, 0x10000);
  machine.driver.write_register(spec::kTrReqCtlOffset, 8, spec::tr_req_ctl::kDid.of(5) | 1);
  const base::Cycle start = machine.driver.now();
  const auto busy = [&] {
    return spec::tr_req_ctl::kGoBusy.is_set(machine.driver.read_register(spec::kTrReqCtlOffset, 8));
  };
  while (busy()) ASSERT_TRUE(machine.driver.advance());
  EXPECT_EQ(machine.driver.now() - start, 1U + 300U + 1U + 1U + 300U);
  EXPECT_EQ(spec::tr_response::kPpn.get(machine.driver.read_register(spec::kTrResponseOffset, 8)), 0x50U);
  EXPECT_EQ(machine.engine.stats().debug_requests.value(), 1U);
  EXPECT_EQ(machine.engine.stats().requests.accepted.value(), 0U);
  machine.driver.write_register(spec::kTrReqIovaOffset, 8, 0x99000);
  machine.driver.write_register(spec::kTrReqCtlOffset, 8, spec::tr_req_ctl::kDid.of(5) | 1);
  machine.driver.run_until_idle();
  EXPECT_TRUE(spec::tr_response::kFault.is_set(machine.driver.read_register(spec::kTrResponseOffset, 8)));
  stats::check_identities(machine.root);
}

TEST(CommandGate, LetsOneCommandThroughAGrant) {
  TimedMachine machine;
  machine.engine.set_commands_run_freely(false);
  EXPECT_FALSE(machine.driver.grant_command()) << "none is pending";
  for (int i = 0; i < 3; ++i) machine.queue_command(iotinval_page(2), 0);
  machine.submit();
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.head(), 0U);
  EXPECT_TRUE(machine.driver.grant_command());
  EXPECT_FALSE(machine.driver.grant_command()) << "one is under way";
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.head(), 1U);
  machine.engine.set_commands_run_freely(true);
  machine.submit();
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.head(), 3U);
}

}  // namespace
}  // namespace iommusim::timing::test
