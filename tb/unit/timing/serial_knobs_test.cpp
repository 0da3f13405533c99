// SPDX-License-Identifier: Apache-2.0
// The knobs of a serial machine, one by one, each to the cycle: a test is named after its parameter and compares a
// machine that has it with one that has not.
#include <gtest/gtest.h>

#include "base/error.h"
#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr base::Cycle kSerialMemory = 20;

/// One device with two pages, another without a valid context, on a machine of one knob.
struct SerialKnobs : ::testing::Test {
  EngineParams params = bare_params();
  std::unique_ptr<TimedMachine> machine;

  TimedMachine& build() {
    PlainDriverParams driver;
    driver.memory_cycles = kSerialMemory;
    machine = std::make_unique<TimedMachine>(params, driver, 1);
    AddressSpace space = machine->tables.space(8, 0);
    space.map(0x10000, 0x50000);
    space.map(0x11000, 0x51000);
    machine->tables.attach(5, space);
    machine->driver.advance(machine->driver.now() + 100);
    return *machine;
  }
  /// Of one request, on a machine of its own.
  Finished run(std::uint64_t iova = 0x10000, std::uint32_t device = 5) {
    const Finished done = build().translate(device, iova);
    stats::check_identities(machine->root);
    return done;
  }
  base::Cycle cycles(std::uint64_t iova = 0x10000, std::uint32_t device = 5) {
    const Finished done = run(iova, device);
    return done.done - done.accepted;
  }
  base::Cycle command_cycles(std::uint64_t word0, std::uint64_t word1, unsigned count) {
    build();
    for (unsigned i = 0; i < count; ++i) machine->queue_command(word0, word1);
    const base::Cycle start = machine->driver.now();
    machine->submit();
    while (machine->head() != count && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  }
};

TEST_F(SerialKnobs, PickCycles) {
  const base::Cycle before = cycles();
  params.ingress.pick_cycles = 3;
  EXPECT_EQ(cycles(), before + 3);
}

TEST_F(SerialKnobs, ErrorCyclesDelayTheErrorAndNotTheRelease) {
  const Finished before = run(0x90000);
  params.ingress.error_cycles = 7;
  const Finished after = run(0x90000);
  EXPECT_EQ(after.released - after.accepted, before.done - before.accepted);
  EXPECT_EQ(after.done, after.released + 7);
  const Finished translated = run();
  EXPECT_EQ(translated.done, translated.released);
}

TEST_F(SerialKnobs, ContextFillCycles) {
  const base::Cycle before = cycles();
  params.walkers.context_fill_cycles = 4;
  EXPECT_EQ(cycles(), before + 4);
}

TEST_F(SerialKnobs, TranslationFillCycles) {
  const base::Cycle before = cycles();
  params.walkers.translation_fill_cycles = 5;
  EXPECT_EQ(cycles(), before + 5);
}

TEST_F(SerialKnobs, FaultCycles) {
  const base::Cycle page = cycles(0x90000), device = cycles(0x10000, 6), mapped = cycles();
  params.walkers.fault_cycles = 2;
  EXPECT_EQ(cycles(0x90000), page + 2);
  EXPECT_EQ(cycles(0x10000, 6), device + 2);
  EXPECT_EQ(cycles(), mapped);
}

TEST_F(SerialKnobs, FaultCyclesOverlapTheRestOfAContext) {
  params.memory_port.beat_bytes = 8;  // a context of four beats, the first of which says that it is not valid
  const base::Cycle device = cycles(0x10000, 6);
  params.walkers.fault_cycles = 3;
  EXPECT_EQ(cycles(0x10000, 6), device);
  params.walkers.fault_cycles = 4;
  EXPECT_EQ(cycles(0x10000, 6), device + 1);
}

TEST_F(SerialKnobs, BeatBytes) {
  const base::Cycle before = cycles();
  params.memory_port.beat_bytes = 8;
  EXPECT_EQ(cycles(), before + 3) << "a context of 32 bytes; entries have one beat";
  params.memory_port.beat_bytes = 16;
  EXPECT_EQ(cycles(), before + 1);
}

TEST_F(SerialKnobs, BeatBytesOfAWriteCountBeforeItLeaves) {
  const auto fault_cycles = [this] {
    build();
    const base::Cycle start = machine->driver.now();
    machine->driver.offer(Machine::request(5, 0x90000), 0);
    while (machine->driver.read_register(spec::kFqtOffset, 4) == 0 && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  };
  const base::Cycle before = fault_cycles();
  params.memory_port.beat_bytes = 8;
  EXPECT_EQ(fault_cycles(), before + 3 + 3) << "the device context and the record";
}

TEST_F(SerialKnobs, DeviceContextBeats) {
  params.memory_port.beat_bytes = 8;
  const base::Cycle before = cycles();
  params.memory_port.device_context_beats = 3;
  EXPECT_EQ(cycles(), before - 1);
}

TEST_F(SerialKnobs, AnswerCycles) {
  const base::Cycle before = cycles();
  params.memory_port.answer_cycles = 2;
  EXPECT_EQ(cycles(), before + 4 * 2) << "a context and three entries";
}

TEST_F(SerialKnobs, LookupsTogether) {
  params.ddt_cache.entries = params.iotlb.entries = 4;
  params.ddt_cache.lookup_cycles = 2;
  params.iotlb.lookup_cycles = 3;
  const auto hit = [this] {
    build().translate(5, 0x10000);
    return machine->latency(5, 0x10000);
  };
  EXPECT_EQ(hit(), 5U);
  params.lookups = LookupOrder::kTogether;
  EXPECT_EQ(hit(), 2U);
  machine->driver.write_register(spec::kDdtpOffset, 8, 1);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->latency(5, 0x10000), 2U) << "what needs no look-up waits for them all the same";
}

TEST_F(SerialKnobs, CommandNextCycles) {
  params.queues.command_start_cycles = 1;
  const base::Cycle one = command_cycles(spec::opcode::kIotinval, 0, 1);
  const base::Cycle two = command_cycles(spec::opcode::kIotinval, 0, 2);
  params.queues.command_next_cycles += 4;
  EXPECT_EQ(command_cycles(spec::opcode::kIotinval, 0, 1), one);
  EXPECT_EQ(command_cycles(spec::opcode::kIotinval, 0, 2), two + 4);
}

TEST_F(SerialKnobs, FenceWriteCycles) {
  const std::uint64_t with_data = spec::opcode::kIofence | spec::iofence_w0::kAv.mask();
  const base::Cycle fence = command_cycles(spec::opcode::kIofence, 0, 1);
  const base::Cycle store = command_cycles(with_data, 0x7000 >> 2, 1);
  params.queues.fence_write_cycles = 6;
  EXPECT_EQ(command_cycles(spec::opcode::kIofence, 0, 1), fence);
  EXPECT_EQ(command_cycles(with_data, 0x7000 >> 2, 1), store + 6);
}

TEST_F(SerialKnobs, PreferFree) {
  params.iotlb.entries = 2;
  params.iotlb.policy = Policy::kTreePlru;
  const auto evictions = [this] {
    build();
    for (const std::uint64_t iova : {0x10000, 0x11000, 0x10000}) machine->translate(5, iova);
    machine->queue_command(iotinval_page(2), address_word(0x10000));
    machine->submit();
    machine->driver.run_until_idle();
    machine->translate(5, 0x10000);
    return machine->engine.stats().iotlb.evictions.value();
  };
  EXPECT_EQ(evictions(), 0U);
  params.iotlb.prefer_free = false;
  EXPECT_EQ(evictions(), 1U) << "the tree names the one that was used before the other";
}

TEST_F(SerialKnobs, WriteAnswerCyclesBeyondTheAccess) {
  params.registers.write_answer_cycles = params.registers.access_cycles + 1;
  EXPECT_THROW(build(), base::InputError);
}

}  // namespace
}  // namespace iommusim::timing::test
