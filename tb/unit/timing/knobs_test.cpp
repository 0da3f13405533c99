// SPDX-License-Identifier: Apache-2.0
// Knobs of caches, walkers and queue engines, each to the cycle: a test is named after its parameter and compares a
// machine that has it with one that has not. More of them: serial_knobs_test.cpp, front_test.cpp, prefetch_test.cpp,
// invalidation_knobs_test.cpp, walk_reads_test.cpp. knob_names_test.cpp sees to it that none is forgotten.
#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr base::Cycle kKnobMemory = 30;

struct Knobs : ::testing::Test {
  EngineParams params = bare_params();
  std::unique_ptr<TimedMachine> machine;

  /// Devices 5 and 6 with eight pages from 0x10000 on.
  TimedMachine& build(unsigned first = 8, unsigned second = 0) {
    PlainDriverParams driver;
    driver.memory_cycles = kKnobMemory;
    machine = std::make_unique<TimedMachine>(params, driver, 1);
    AddressSpace space = machine->tables.space(first, second);
    for (std::uint64_t page = 0; page < 8; ++page) space.map(0x10000 + page * 0x1000, 0x10000 + page * 0x1000);
    machine->tables.attach(5, space);
    machine->tables.attach(6, space);
    machine->driver.advance(machine->driver.now() + 100);
    return *machine;
  }
  /// The second request of the same kind, on a machine of its own.
  base::Cycle warm() {
    build().translate(5, 0x10000);
    return machine->latency(5, 0x10000);
  }
  /// Of both requests, taken in at once; the difference of their ends.
  base::Cycle apart(std::uint32_t one, std::uint64_t iova, std::uint32_t other, std::uint64_t other_iova) {
    machine->driver.finished().clear();
    machine->driver.offer(Machine::request(one, iova), 0);
    machine->driver.offer(Machine::request(other, other_iova), 1);
    machine->driver.run_until_idle();
    return machine->driver.finished().at(1).done - machine->driver.finished().at(0).done;
  }
  base::Cycle command_cycles(unsigned count) {
    build();
    for (unsigned i = 0; i < count; ++i) machine->queue_command(spec::opcode::kIotinval, 0);
    const base::Cycle start = machine->driver.now();
    machine->submit();
    while (machine->head() != count && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  }
  std::uint64_t walk_reads() const { return machine->engine.stats().walks.reads.data().sum(); }
};

TEST_F(Knobs, DdtCache_EntriesAndLookupCycles) {
  const base::Cycle without = warm();
  params.ddt_cache.entries = 1;
  const base::Cycle with = warm();
  EXPECT_EQ(with, without - kKnobMemory);
  params.ddt_cache.lookup_cycles += 3;
  EXPECT_EQ(warm(), with + 3);
}

/// Two look-ups that start together: the second is a cycle later, but for a second port.
TEST_F(Knobs, Iotlb_Ports) {
  params.iotlb.entries = 4;
  params.ddt_cache.entries = 4;
  params.ddt_cache.ports = 2;
  params.ingress.initiation_cycles = 0;
  const auto hits = [this] {
    build().translate(5, 0x10000);
    return apart(5, 0x10000, 5, 0x10000);
  };
  EXPECT_EQ(hits(), 1U);
  params.iotlb.ports = 2;
  EXPECT_EQ(hits(), 0U);
}

TEST_F(Knobs, WalkCache_FirstStageLevel1Level2Level3Level4EachSaveTheReadsAboveThem) {
  WalkCacheStageParams& stage = params.walk_cache.first_stage;
  std::uint64_t reads = 0;
  for (CacheParams* level : {&stage.level1, &stage.level2, &stage.level3, &stage.level4}) {
    level->entries = 1;
    build(10).translate(5, 0x10000);
    const std::uint64_t cold = walk_reads();
    machine->translate(5, 0x11000);
    EXPECT_EQ(cold, 5U);
    EXPECT_EQ(walk_reads() - cold, ++reads) << "an entry of level n leaves n reads";
    level->entries = 0;
  }
}

TEST_F(Knobs, WalkCache_SecondStageLevel1Level2Level3Level4EachSaveTheReadsAboveThem) {
  WalkCacheStageParams& stage = params.walk_cache.second_stage;
  std::uint64_t reads = 0;
  for (CacheParams* level : {&stage.level1, &stage.level2, &stage.level3, &stage.level4}) {
    level->entries = 1;
    build(0, 10).translate(5, 0x10000);
    const std::uint64_t cold = walk_reads();
    machine->translate(5, 0x11000);
    EXPECT_EQ(walk_reads() - cold, ++reads);
    level->entries = 0;
  }
}

TEST_F(Knobs, WalkCache_LookupCyclesAndPorts) {
  const base::Cycle one = warm();
  params.walk_cache.lookup_cycles += 4;
  EXPECT_EQ(warm(), one + 4);
  params.ddt_cache = params.iotlb = {4, 0, Policy::kLru, 1, 2};
  params.ingress.initiation_cycles = params.memory_port.issue_cycles = 0;
  const auto two = [this] {
    build().translate(5, 0x17000);
    return apart(5, 0x10000, 5, 0x11000);
  };
  EXPECT_EQ(two(), 1U);
  params.walk_cache.ports = 2;
  EXPECT_EQ(two(), 0U);
}

TEST_F(Knobs, WalkersCount) {
  params.ddt_cache.entries = 4;
  params.walk_cache.lookup_cycles = 0;
  const auto misses = [this] {
    build().translate(5, 0x17000);
    return apart(5, 0x10000, 5, 0x11000);
  };
  params.walkers.count = 1;
  EXPECT_EQ(misses(), 3 * kKnobMemory) << "one walk behind the other";
  params.walkers.count = 2;
  EXPECT_EQ(misses(), 1U) << "as they came";
}

TEST_F(Knobs, WalkersDirectoryCount) {
  params.walk_cache.lookup_cycles = 0;
  params.walkers.directory_count = 1;
  build();
  EXPECT_EQ(apart(5, 0x10000, 6, 0x10000), kKnobMemory + 1) << "its read leaves behind the first one's next";
  params.walkers.directory_count = 2;
  build();
  EXPECT_EQ(apart(5, 0x10000, 6, 0x10000), 1U);
}

TEST_F(Knobs, LookAgain) {
  params.iotlb.entries = 4;
  params.miss_table.merge = false;
  params.walkers.count = 1;
  const auto walks = [this] {
    build();
    apart(5, 0x10000, 5, 0x10000);
    stats::check_identities(machine->root);
    return machine->engine.stats().walks.started.value();
  };
  params.walkers.look_again = true;
  EXPECT_EQ(walks(), 1U);
  EXPECT_EQ(machine->engine.stats().iotlb.look_again_hits.value(), 1U);
  params.walkers.look_again = false;
  EXPECT_EQ(walks(), 2U);
}

TEST_F(Knobs, MissTableDepth) {
  params.iotlb.entries = 4;
  params.ddt_cache.entries = 4;
  const auto second = [this] {
    build().translate(5, 0x17000);
    return apart(5, 0x10000, 5, 0x11000);
  };
  EXPECT_EQ(second(), 1U);
  params.miss_table.depth = 1;
  EXPECT_GE(second(), 3 * kKnobMemory);
}

TEST_F(Knobs, CommandStartCycles) {
  const base::Cycle before = command_cycles(1);
  params.queues.command_start_cycles += 5;
  EXPECT_EQ(command_cycles(1), before + 5);
}

TEST_F(Knobs, CommandFinishCycles) {
  const base::Cycle before = command_cycles(1), two = command_cycles(2);
  params.queues.command_finish_cycles += 4;
  EXPECT_EQ(command_cycles(1), before + 4);
  EXPECT_EQ(command_cycles(2), two + 8);
}

/// The engine keeps as many messages as that for the shell to carry away; the command behind waits until one has gone,
/// and ends command_finish_cycles later.
TEST_F(Knobs, MessageDepth_StallsTheCommandQueue) {
  params.queues.message_depth = 2;
  params.queues.command_finish_cycles = 6;
  spec::Implementation implementation;
  implementation.ats = true;
  TimedMachine own(params, {}, 1, implementation);
  for (unsigned i = 0; i < 3; ++i) own.queue_command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0);
  base::Cycle now = own.driver.now() + 1;
  own.engine.write_register(spec::kCqtOffset, 4, own.tail(), now);
  // A shell that answers memory and carries no message away.
  const auto run_to = [&](base::Cycle end) {
    for (; now <= end; ++now) {
      own.engine.step(now);
      for (auto& requests = own.engine.memory_requests(); !requests.empty(); requests.pop())
        own.engine.memory_answer(requests.front().tag, own.tables.memory.read(requests.front().ask), now + 1);
    }
  };
  const auto head = [&] { return own.engine.read_register(spec::kCqhOffset, 4, now); };
  run_to(now + 1000);
  EXPECT_EQ(own.engine.messages().size(), 2U);
  EXPECT_EQ(head(), 2U);
  own.engine.messages().pop();
  const base::Cycle freed = now;
  run_to(freed + 5);
  EXPECT_EQ(own.engine.messages().size(), 2U);
  EXPECT_EQ(head(), 2U);
  run_to(freed + 6);
  EXPECT_EQ(head(), 3U);
}

/// Two entries, both in use; a third page misses. The entry that gives way is there until the fill, or until the miss.
TEST_F(Knobs, MissTableAllocate_TakesTheEntryAtTheFillOrAtTheMiss) {
  params.iotlb.entries = 2;
  params.ddt_cache.entries = 4;
  const auto hits = [this](Allocate allocate, base::Cycle after) {
    params.miss_table.allocate = allocate;
    build().translate(5, 0x10000);
    machine->translate(5, 0x11000);
    machine->driver.finished().clear();
    const std::uint64_t before = machine->engine.stats().iotlb.hits.value();
    machine->driver.offer(Machine::request(5, 0x12000), 0);
    machine->driver.advance(machine->driver.now() + after);
    machine->driver.offer(Machine::request(5, 0x10000), 1);
    machine->driver.run_until_idle();
    stats::check_identities(machine->root);
    return machine->engine.stats().iotlb.hits.value() - before;
  };
  // A request is taken in, its device found a cycle later, its page looked up in the next.
  EXPECT_EQ(hits(Allocate::kAtFill, 10), 1U);
  EXPECT_EQ(hits(Allocate::kAtMiss, 10), 0U);
  EXPECT_EQ(hits(Allocate::kAtMiss, 1), 0U) << "looked up a cycle after the miss";
  EXPECT_EQ(hits(Allocate::kAtMiss, 0), 0U);
}

}  // namespace
}  // namespace iommusim::timing::test
