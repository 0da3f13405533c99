// SPDX-License-Identifier: Apache-2.0
// Injections against the cycle engine: each kind has the consequence that the architecture gives to the real thing.
#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

struct EngineInjection : testing::Test {
  static constexpr std::uint16_t kDevice = 5;
  static spec::Implementation implementation() {
    spec::Implementation i;
    i.ats = true;
    return i;
  }
  EngineInjection() : machine({}, {}, 3, implementation()), space(machine.tables.space(8, 0)) {
    for (std::uint64_t page = 0; page < 16; ++page) space.map(0x10000 + page * 0x1000, 0x50000 + page * 0x1000);
    machine.tables.attach(kDevice, space, spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
    machine.engine.inject(&injector);
  }
  void add(InjectionKind kind, AccessTarget target = AccessTarget::kOwn, std::uint64_t delay_ns = 0,
           std::uint64_t skip = 0) {
    InjectionParams params;
    params.kind = kind;
    params.target = target;
    params.delay_ns = delay_ns;
    params.skip = skip;
    params.count = 1;
    injector.add("x", params);
  }
  void stall(InjectionQueue queue) {
    InjectionParams params;
    params.kind = InjectionKind::kQueueStall;
    params.queue = queue;
    params.delay_ns = 1000;
    params.count = 1;
    injector.add("x", params);
  }
  std::uint64_t strikes() const { return *injector.strikes("x"); }
  std::uint64_t cqcsr() { return machine.engine.registers().read(spec::kCqcsrOffset, 4); }
  /// Clears the error bits, as a driver does.
  void recover() {
    machine.driver.write_register(spec::kCqcsrOffset, 4, cqcsr());
    machine.driver.run_until_idle();
  }
  void command(std::uint64_t word0) {
    machine.queue_command(word0, 0);
    machine.submit();
    machine.driver.run_until_idle();
  }
  base::Cycle cycles_until_head_moves(std::uint64_t word0) {
    const base::Cycle start = machine.driver.now();
    const std::uint64_t head = machine.head();
    machine.queue_command(word0, 0);
    machine.submit();
    while (machine.head() == head && machine.driver.advance()) {
    }
    return machine.driver.now() - start;
  }
  static constexpr std::uint64_t kAtsInval = spec::opcode::kAts | spec::ats_w0::kRid.of(kDevice);

  TimedMachine machine;
  AddressSpace space;
  Injector injector{1, machine.root};
};

TEST_F(EngineInjection, AnErrorOfEachStructureHasItsCause) {
  add(InjectionKind::kAccessFault, target_of(translate::Structure::kDdt));
  EXPECT_EQ(machine.translate(kDevice, 0x10000).outcome.fault.cause, 257);
  add(InjectionKind::kPoison, target_of(translate::Structure::kDdt));
  EXPECT_EQ(machine.translate(kDevice, 0x10000).outcome.fault.cause, 268);
  add(InjectionKind::kAccessFault, target_of(translate::Structure::kFirstStage));
  EXPECT_EQ(machine.translate(kDevice, 0x10000).outcome.fault.cause, 5);
  add(InjectionKind::kPoison, target_of(translate::Structure::kFirstStage));
  EXPECT_EQ(machine.translate(kDevice, 0x10000).outcome.fault.cause, 274);
  EXPECT_EQ(strikes(), 4U);
  EXPECT_EQ(machine.engine.stats().memory_port.injected.value(), 4U);
  EXPECT_EQ(machine.engine.stats().faults.recorded.value(), 4U);
  EXPECT_EQ(machine.translate(kDevice, 0x10000).outcome.spa, 0x50000U) << "nothing of it is left";
}

TEST_F(EngineInjection, AFaultRecordThatCannotBeWrittenSetsFqmf) {
  add(InjectionKind::kAccessFault, target_of(translate::Structure::kFaultQueue));
  machine.translate(kDevice, 0x900000);
  EXPECT_TRUE(spec::fqcsr::kFqmf.is_set(machine.driver.read_register(spec::kFqcsrOffset, 4)));
  EXPECT_EQ(machine.engine.stats().faults.lost.value(), 1U);
  EXPECT_EQ(machine.tables.memory.load(machine.tables.fault_address(0)), 0U) << "the write did not happen";
}

TEST_F(EngineInjection, ACommandThatCannotBeFetchedSetsCqmfAndIsDoneOnceThatIsCleared) {
  add(InjectionKind::kAccessFault, target_of(translate::Structure::kCommandQueue), 0, 1);
  command(kInvalAllDevices);
  command(kInvalAllDevices);
  EXPECT_EQ(machine.head(), 1U);
  EXPECT_TRUE(spec::cqcsr::kCqmf.is_set(cqcsr()));
  recover();
  EXPECT_EQ(machine.head(), 2U);
}

TEST_F(EngineInjection, AnIllegalCommandSetsCmdIll) {
  add(InjectionKind::kIllegalCommand);
  command(kInvalAllDevices);
  EXPECT_EQ(machine.head(), 0U);
  EXPECT_TRUE(spec::cqcsr::kCmdIll.is_set(cqcsr()));
  recover();
  EXPECT_EQ(machine.head(), 1U);
}

TEST_F(EngineInjection, ADelayIsThatLongAndHoldsNobodyElse) {
  const base::Cycle usual = machine.latency(kDevice, 0x10000);
  command(kInvalAllDevices);
  command(spec::opcode::kIotinval);
  add(InjectionKind::kDelay, target_of(translate::Structure::kDdt), 700);
  EXPECT_EQ(machine.latency(kDevice, 0x10000), usual + 700);
  add(InjectionKind::kDelay, target_of(translate::Structure::kFirstStage), 700);
  ASSERT_TRUE(machine.driver.offer(Machine::request(kDevice, 0x11000), 1));
  ASSERT_TRUE(machine.driver.offer(Machine::request(kDevice, 0x12000), 2));
  machine.driver.finished().clear();
  machine.driver.run_until_idle();
  EXPECT_EQ(machine.driver.finished().at(0).cookie, 2U);
  EXPECT_EQ(machine.driver.finished().at(1).cookie, 1U);
  EXPECT_GT(machine.driver.finished().at(1).done, machine.driver.finished().at(0).done + 600);
}

TEST_F(EngineInjection, AnErrorIsToldAfterItsDelay) {
  add(InjectionKind::kAccessFault, target_of(translate::Structure::kDdt), 700);
  EXPECT_GE(machine.latency(kDevice, 0x10000), 700U);
}

TEST_F(EngineInjection, AStalledCommandQueueStandsStillForThatLong) {
  const base::Cycle usual = cycles_until_head_moves(kInvalAllDevices);
  stall(InjectionQueue::kCommand);
  EXPECT_EQ(cycles_until_head_moves(kInvalAllDevices), usual + 1000);
  EXPECT_EQ(cycles_until_head_moves(kInvalAllDevices), usual);
}

TEST_F(EngineInjection, AStalledFaultQueueStandsStillForThatLong) {
  const auto cycles = [&](std::uint64_t iova) {
    const base::Cycle start = machine.driver.now();
    const std::uint64_t tail = machine.driver.read_register(spec::kFqtOffset, 4);
    EXPECT_TRUE(machine.driver.offer(Machine::request(kDevice, iova), 0));
    while (machine.driver.read_register(spec::kFqtOffset, 4) == tail && machine.driver.advance()) {
    }
    return machine.driver.now() - start;
  };
  cycles(0x900000);
  const base::Cycle usual = cycles(0x900000);
  stall(InjectionQueue::kFault);
  EXPECT_EQ(cycles(0x900000), usual + 1000);
  EXPECT_EQ(cycles(0x900000), usual);
}

TEST_F(EngineInjection, AStalledPageRequestQueueStandsStillForThatLong) {
  const std::uint64_t queue = machine.tables.frames.take();
  machine.driver.write_register(spec::kPqbOffset, 8, queue >> 2 | 6);
  machine.driver.write_register(spec::kPqcsrOffset, 4, spec::pqcsr::kPqen.mask());
  machine.driver.run_until_idle();
  translate::PageRequest request;
  request.function.rid = kDevice;
  request.payload = 7;
  const auto cycles = [&] {
    const base::Cycle start = machine.driver.now();
    const std::uint64_t tail = machine.driver.read_register(spec::kPqtOffset, 4);
    EXPECT_TRUE(machine.driver.page_request(request));
    while (machine.driver.read_register(spec::kPqtOffset, 4) == tail && machine.driver.advance()) {
    }
    return machine.driver.now() - start;
  };
  cycles();
  const base::Cycle usual = cycles();
  stall(InjectionQueue::kPageRequest);
  EXPECT_EQ(cycles(), usual + 1000);
  EXPECT_EQ(cycles(), usual);
}

TEST_F(EngineInjection, AnInvalidationThatIsGivenUpSetsCmdTo) {
  add(InjectionKind::kAtsTimeOut, AccessTarget::kOwn, 5000);
  const base::Cycle start = machine.driver.now();
  command(kAtsInval);
  command(kFence);
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(cqcsr()));
  EXPECT_EQ(machine.head(), 1U) << "the fence stays";
  EXPECT_GE(machine.driver.now(), start + 5000);
  recover();
  EXPECT_EQ(machine.head(), 2U);
}

TEST_F(EngineInjection, ACompletionInTimeCallsTheTimeOutOff) {
  add(InjectionKind::kAtsTimeOut, AccessTarget::kOwn, 5000);
  command(kInvalAllDevices);
  machine.queue_command(kAtsInval, 0);
  machine.submit();
  while (machine.driver.messages().empty()) ASSERT_TRUE(machine.driver.advance());
  translate::InvalidationCompletion completion;
  completion.function.rid = kDevice;
  completion.itag_vector = 1;
  completion.count = 1;
  EXPECT_TRUE(machine.driver.invalidation_completion(completion));
  command(kAtsInval);  // takes the same tag
  machine.driver.run_until_idle();
  EXPECT_FALSE(spec::cqcsr::kCmdTo.is_set(cqcsr()));
  EXPECT_TRUE(machine.engine.registers().invalidations().outstanding());
}

TEST_F(EngineInjection, ALateCompletionHoldsTheFence) {
  add(InjectionKind::kAtsLate, AccessTarget::kOwn, 2000);
  command(kAtsInval);
  translate::InvalidationCompletion completion;
  completion.function.rid = kDevice;
  completion.itag_vector = 1;
  completion.count = 1;
  machine.queue_command(kFence, 0);
  machine.submit();
  const base::Cycle arrived = machine.driver.now();
  EXPECT_TRUE(machine.driver.invalidation_completion(completion));
  while (machine.head() != 2 && machine.driver.advance()) {
  }
  EXPECT_GE(machine.driver.now(), arrived + 2000);
  EXPECT_LT(machine.driver.now(), arrived + 2100);
  EXPECT_FALSE(spec::cqcsr::kCmdTo.is_set(cqcsr()));
}

TEST_F(EngineInjection, ALostCompletionHoldsTheFenceUntilItIsGivenUp) {
  add(InjectionKind::kAtsDrop);
  command(kAtsInval);
  translate::InvalidationCompletion completion;
  completion.function.rid = kDevice;
  completion.itag_vector = 1;
  completion.count = 1;
  EXPECT_TRUE(machine.driver.invalidation_completion(completion));
  command(kFence);
  EXPECT_EQ(machine.head(), 1U);
  machine.driver.invalidation_time_out(1);
  machine.driver.run_until_idle();
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(cqcsr()));
  EXPECT_EQ(strikes(), 1U);
}

}  // namespace
}  // namespace iommusim::timing::test
