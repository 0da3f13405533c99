// SPDX-License-Identifier: Apache-2.0
// Limits of the pipeline, and that time changes no answer.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

EngineParams random_params() {
  EngineParams params;
  params.iotlb.entries = *rc::gen::element(0U, 1U, 2U, 4U, 16U);
  params.ddt_cache.entries = *rc::gen::element(0U, 1U, 8U);
  params.directory_cache.entries = *rc::gen::element(0U, 4U);
  params.iotlb.lookup_cycles = *rc::gen::inRange(0U, 3U);
  params.ddt_cache.lookup_cycles = *rc::gen::inRange(0U, 3U);
  params.walk_cache.lookup_cycles = *rc::gen::inRange(0U, 3U);
  params.walk_cache.first_stage.level1.entries = *rc::gen::element(0U, 2U, 16U);
  params.walk_cache.second_stage.level1.entries = *rc::gen::element(0U, 2U, 16U);
  params.walkers.count = *rc::gen::element(1U, 2U, 8U);
  params.walkers.look_again = *rc::gen::arbitrary<bool>();
  params.miss_table.depth = *rc::gen::element(1U, 2U, 32U);
  params.miss_table.merge = *rc::gen::arbitrary<bool>();
  params.memory_port.outstanding = *rc::gen::element(1U, 3U, 32U);
  params.ingress.depth = *rc::gen::element(1U, 4U, 16U);
  params.slots = *rc::gen::element(1U, 3U, 64U);
  return params;
}

PlainDriverParams random_driver() {
  PlainDriverParams params;
  params.memory_cycles = *rc::gen::inRange<base::Cycle>(1, 60);
  params.memory_jitter = *rc::gen::inRange<base::Cycle>(0, 80);
  params.forward_cycles = *rc::gen::inRange<base::Cycle>(1, 100);
  params.seed = *rc::gen::arbitrary<std::uint64_t>();
  return params;
}

/// Four address spaces of different modes with holes and read-only pages; devices 1 to 4, device 5 has no context.
void build_world(Machine& tables) {
  constexpr std::pair<unsigned, unsigned> kModes[] = {{8, 0}, {0, 8}, {9, 8}, {10, 10}};
  std::uint32_t device = 1;
  for (const auto& [first, second] : kModes) {
    AddressSpace space = tables.space(first, second);
    for (std::uint64_t page = 0; page < 12; ++page) {
      if (page % 5 == 4) continue;
      const std::uint64_t address = 0x40000 + page * 0x1000;
      space.map(address, address, 0, page % 3 == 2 ? flags::kAll & ~flags::kW : flags::kAll);
    }
    tables.attach(device, space, 0, device, device);
    ++device;
  }
}

/// Cycles, caches and walkers change when a request is answered, never how.
RC_GTEST_PROP(PipelineLaw, AnswersAreThoseOfTheFunctionalEngine, ()) {
  TimedMachine machine(random_params(), random_driver());
  build_world(machine.tables);
  const auto picks = *rc::gen::container<std::vector<std::tuple<std::uint32_t, std::uint64_t, bool>>>(
      80, rc::gen::tuple(rc::gen::inRange(1U, 6U), rc::gen::inRange<std::uint64_t>(0x40000, 0x4d000),
                         rc::gen::arbitrary<bool>()));
  std::vector<translate::Request> requests;
  for (const auto& [device, iova, write] : picks)
    requests.push_back(Machine::request(device, iova, write ? Access::kWrite : Access::kRead));
  for (std::size_t i = 0; i < requests.size();) {
    if (machine.driver.offer(requests[i], i))
      ++i;
    else
      RC_ASSERT(machine.driver.advance());
  }
  machine.driver.run_until_idle();
  RC_ASSERT(machine.driver.finished().size() == requests.size());
  std::uint64_t faults = 0;
  for (const Finished& done : machine.driver.finished()) {
    const translate::Outcome expected = machine.tables.engine.translate(requests[done.cookie]);
    RC_ASSERT(done.outcome.kind == expected.kind);
    RC_ASSERT(done.outcome.response == expected.response);
    if (expected.kind == translate::Outcome::Kind::kTranslated) {
      RC_ASSERT(done.outcome.spa == expected.spa);
    } else {
      ++faults;
      RC_ASSERT(done.outcome.fault.cause == expected.fault.cause);
      RC_ASSERT(done.outcome.fault.iotval == expected.fault.iotval);
      RC_ASSERT(done.outcome.fault.iotval2 == expected.fault.iotval2);
    }
  }
  RC_ASSERT(machine.engine.stats().faults.recorded.value() == faults);
  machine.engine.stats().advance(machine.driver.now());
  stats::check_identities(machine.root);
  RC_ASSERT(machine.engine.stats().requests.in_flight.data().integral() ==
            machine.engine.stats().requests.residence.value());
}

/// After the head passed IOTINVAL + IOFENCE, no DMA reaches the page that was unmapped before them, whatever the
/// timing: neither one that is translated later nor one that was translated earlier and is still on its way.
RC_GTEST_PROP(PipelineLaw, NoDmaReachesAPageAfterItsFence, ()) {
  TimedMachine machine(random_params(), random_driver());
  const base::Cycle forward = machine.driver.params().forward_cycles;
  const unsigned second = *rc::gen::element(0U, 8U);
  AddressSpace space = machine.tables.space(8, second);
  constexpr std::uint64_t kPages = 4;
  for (std::uint64_t page = 0; page < kPages; ++page) space.map(0x40000 + page * 0x1000, 0x40000 + page * 0x1000);
  machine.tables.attach(1, space);
  std::vector<base::Cycle> dead(kPages, base::kNever);
  std::uint64_t next = 0;

  const auto traffic = [&] {
    const std::uint64_t page = *rc::gen::inRange<std::uint64_t>(0, kPages);
    machine.driver.offer(Machine::request(1, 0x40000 + page * 0x1000 + (next % 64) * 64), page);
    ++next;
  };
  for (std::uint64_t page = 0; page < kPages; ++page) {
    const int before = *rc::gen::inRange(0, 30);
    for (int i = 0; i < before; ++i) {
      traffic();
      for (int turns = *rc::gen::inRange(0, 4); turns > 0; --turns) machine.driver.advance();
    }
    machine.tables.memory.store(space.first_entry(0x40000 + page * 0x1000, 0), 0);
    machine.queue_command(
        iotinval_page(2) | (second != 0 ? spec::iotinval_w0::kGv.mask() | spec::iotinval_w0::kGscid.of(1) : 0),
        address_word(0x40000 + page * 0x1000));
    machine.queue_command(kFence, 0);
    machine.submit();
    while (machine.head() != machine.tail()) {
      traffic();
      RC_ASSERT(machine.driver.advance());
    }
    dead[page] = machine.driver.now();
  }
  for (int i = 0; i < 10; ++i) traffic();
  machine.driver.run_until_idle();
  for (const Finished& done : machine.driver.finished())
    if (done.outcome.kind == translate::Outcome::Kind::kTranslated) RC_ASSERT(done.done + forward <= dead[done.cookie]);
}

TEST(Pipeline, IngressDepthAndSlotsHoldTheBusBack) {
  EngineParams params;
  params.ingress.depth = 2;
  params.slots = 3;
  TimedMachine machine(params);
  AddressSpace space = machine.tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine.tables.attach(5, space);
  unsigned taken = 0;
  while (machine.driver.offer(Machine::request(5, 0x10000), taken)) ++taken;
  EXPECT_EQ(taken, 3U);
  machine.driver.run_until_idle();
  EXPECT_TRUE(machine.driver.offer(Machine::request(5, 0x10000), 0));
}

TEST(Pipeline, InitiationCyclesSpacesRequests) {
  EngineParams params;
  params.ingress.initiation_cycles = 7;
  TimedMachine machine(params);
  AddressSpace space = machine.tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine.tables.attach(5, space);
  machine.translate(5, 0x10000);
  machine.driver.finished().clear();
  for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(machine.driver.offer(Machine::request(5, 0x10000), i));
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.driver.finished()[1].done - machine.driver.finished()[0].done, 7U);
  EXPECT_EQ(machine.driver.finished()[2].done - machine.driver.finished()[1].done, 7U);
}

}  // namespace
}  // namespace iommusim::timing::test
