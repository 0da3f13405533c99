// SPDX-License-Identifier: Apache-2.0
// Limits of the pipeline, and that time changes no answer.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "process_tables.h"
#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

EngineParams random_params() {
  EngineParams params;
  params.iotlb.entries = *rc::gen::element(0U, 1U, 2U, 4U, 16U);
  params.ddt_cache.entries = *rc::gen::element(0U, 1U, 8U);
  params.pdt_cache.entries = *rc::gen::element(0U, 1U, 8U);
  params.pdt_cache.lookup_cycles = *rc::gen::inRange(0U, 3U);
  params.walkers.directory_count = *rc::gen::element(1U, 2U);
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

spec::Implementation whole_architecture() {
  spec::Implementation implementation;
  implementation.pd8 = implementation.pd17 = implementation.pd20 = true;
  implementation.msi_flat = implementation.msi_mrif = implementation.ats = true;
  return implementation;
}

void map_pages(AddressSpace& space) {
  for (std::uint64_t page = 0; page < 12; ++page) {
    if (page % 5 == 4) continue;
    const std::uint64_t address = 0x40000 + page * 0x1000;
    space.map(address, address, 0, page % 3 == 2 ? flags::kAll & ~flags::kW : flags::kAll);
  }
}

/// Interrupt files at guest pages 0x44 to 0x47, with PTEs of all kinds.
void add_msi(Machine& tables, std::uint32_t device, const AddressSpace& space, unsigned gscid) {
  const std::uint64_t table = tables.frames.take();
  spec::DeviceContext context = tables.attach(device, space, 0, gscid, device);
  context.words[4] = 1ULL << 60 | table >> 12;
  context.words[5] = 3;
  context.words[6] = 0x44;
  tables.set_context(device, context);
  const std::uint64_t basic = 7 | 0x777ULL << 10, mrif = 3 | 0x99ULL << 7, invalid = 0, misconfigured = 7 | 1ULL << 63;
  unsigned file = 0;
  for (const std::uint64_t word : {basic, mrif, invalid, misconfigured}) tables.memory.store(table + 16 * file++, word);
}

/// Four address spaces of different modes with holes and read-only pages; devices 1 to 4, device 5 has no context.
/// Devices 6 to 8 have process directories, 9 and 10 interrupt files.
void build_world(Machine& tables) {
  constexpr std::pair<unsigned, unsigned> kModes[] = {{8, 0}, {0, 8}, {9, 8}, {10, 10}};
  std::uint32_t device = 1;
  for (const auto& [first, second] : kModes) {
    AddressSpace space = tables.space(first, second);
    map_pages(space);
    tables.attach(device, space, device % 2 == 0 ? spec::dc_tc::kEnAts.mask() : 0, device, device);
    ++device;
  }
  constexpr std::pair<unsigned, unsigned> kDirectories[] = {{1, 0}, {2, 8}, {3, 9}};
  device = 6;
  for (const auto& [levels, second] : kDirectories) {
    AddressSpace space = tables.space(8, second);
    map_pages(space);
    ProcessTables processes(tables, space, levels);
    processes.set(0, 20);
    processes.set(1, 21, 1 | spec::pc_ta::kEns.mask());
    processes.set(3, 22, 0);
    processes.attach(device, spec::dc_tc::kEnAts.mask() | (device == 7 ? spec::dc_tc::kDpe.mask() : 0), device);
    ++device;
  }
  for (const unsigned first : {0U, 8U}) {
    AddressSpace space = tables.space(first, 8);
    map_pages(space);
    add_msi(tables, device, space, device);
    ++device;
  }
}

rc::Gen<translate::Request> any_request() {
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange(1U, 11U), rc::gen::inRange<std::uint64_t>(0x40000, 0x4d000),
                                     rc::gen::inRange(0U, 8U), rc::gen::inRange(0U, 5U), rc::gen::inRange(0U, 8U)),
                      [](const std::tuple<std::uint32_t, std::uint64_t, unsigned, std::uint32_t, unsigned>& pick) {
                        const auto& [device, iova, how, process, type] = pick;
                        translate::Request request =
                            Machine::request(device, iova, (how & 1) != 0 ? Access::kWrite : Access::kRead);
                        request.process_valid = device >= 6 && device <= 8 && process != 4;
                        if (request.process_valid) {
                          request.process = base::ProcessId(process);
                          request.privileged = (how & 2) != 0;
                        }
                        if (type == 0) request.type = translate::AddressType::kTranslated;
                        if (type == 1) {
                          request.type = translate::AddressType::kAtsRequest;
                          request.access = Access::kRead;
                          request.no_write = (how & 4) != 0;
                        }
                        return request;
                      });
}

/// Cycles, caches and walkers change when a request is answered, never how.
RC_GTEST_PROP(PipelineLaw, AnswersAreThoseOfTheFunctionalEngine, ()) {
  TimedMachine machine(random_params(), random_driver(), 3, whole_architecture());
  build_world(machine.tables);
  const auto requests = *rc::gen::container<std::vector<translate::Request>>(80, any_request());
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
      RC_ASSERT(done.outcome.is_msi == expected.is_msi);
      if (requests[done.cookie].type == translate::AddressType::kAtsRequest) {
        RC_ASSERT(done.outcome.ats.r == expected.ats.r);
        RC_ASSERT(done.outcome.ats.w == expected.ats.w);
        RC_ASSERT(done.outcome.ats.untranslated_only == expected.ats.untranslated_only);
      }
    } else {
      if (expected.record_fault) ++faults;
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
    // Model: who merged looks again, so that a tiny IOTLB under endless traffic may starve an old request.
    for (int turns = 0; machine.head() != machine.tail(); ++turns) {
      if (turns < 2000) traffic();
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

TEST(Pipeline, InitiationCyclesOfZeroTakesAllInOneCycle) {
  EngineParams params;
  params.ingress.initiation_cycles = 0;
  params.ddt_cache.ports = params.iotlb.ports = 3;
  TimedMachine machine(params);
  AddressSpace space = machine.tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine.tables.attach(5, space);
  machine.translate(5, 0x10000);
  machine.driver.finished().clear();
  for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(machine.driver.offer(Machine::request(5, 0x10000), i));
  machine.driver.run_until_idle();
  for (const Finished& done : machine.driver.finished()) EXPECT_EQ(done.done, machine.driver.finished()[0].done);
}

}  // namespace
}  // namespace iommusim::timing::test
