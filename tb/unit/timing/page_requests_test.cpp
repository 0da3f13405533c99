// SPDX-License-Identifier: Apache-2.0
// Messages from and to devices: page requests, ATS invalidations and the fences that wait for them.
#include "timing/page_requests.h"

#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

struct MessagesTest : ::testing::Test {
  EngineParams params;
  std::unique_ptr<TimedMachine> machine;
  std::uint64_t queue = 0;

  TimedMachine& build() {
    spec::Implementation implementation;
    implementation.ats = implementation.pd20 = true;
    implementation.itags = 2;
    machine = std::make_unique<TimedMachine>(params, PlainDriverParams{}, 3, implementation);
    queue = machine->tables.frames.take();
    machine->driver.write_register(spec::kPqbOffset, 8, queue >> 2 | 1);  // 4 entries
    machine->driver.write_register(spec::kPqcsrOffset, 4, spec::pqcsr::kPqen.mask());
    machine->driver.run_until_idle();
    machine->tables.attach(0x1234, machine->tables.space(0, 0),
                           spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
    return *machine;
  }
  static translate::PageRequest page(std::uint64_t number, std::uint16_t rid = 0x1234) {
    translate::PageRequest request;
    request.function.rid = rid;
    request.payload = number << 12 | 7;  // L, W, R
    return request;
  }
  static constexpr std::uint64_t ats(std::uint64_t func3) {
    return spec::opcode::kAts | func3 << 7 | spec::ats_w0::kRid.of(0x1234);
  }
  void submit(std::uint64_t word0) {
    machine->queue_command(word0, 0);
    machine->submit();
    machine->driver.run_until_idle();
  }
};

TEST_F(MessagesTest, APageRequestLocatesItsDeviceAndIsQueued) {
  params.queues.page_request_start_cycles = 20;
  build();
  const base::Cycle start = machine->driver.now();
  ASSERT_TRUE(machine->driver.page_request(page(9)));
  while (machine->driver.read_register(spec::kPqtOffset, 4) == 0) ASSERT_TRUE(machine->driver.advance());
  EXPECT_EQ(machine->driver.now() - start, 20U + 1U + 3 * 100U + 100U) << "look-up, directory walk, record";
  EXPECT_EQ(machine->tables.memory.load(queue), 0x1234ULL << 40);
  EXPECT_EQ(machine->tables.memory.load(queue + 8), 9U << 12 | 7);
  EXPECT_EQ(machine->engine.stats().page_requests.queued.value(), 1U);
  EXPECT_EQ(machine->engine.stats().ddt_cache.walks.value(), 1U);
  EXPECT_EQ(machine->engine.stats().requests.accepted.value(), 0U);
  EXPECT_TRUE(machine->engine.idle());
  stats::check_identities(machine->root);
}

TEST_F(MessagesTest, AFullQueueAndAStrangerAreAnswered) {
  build();
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(machine->driver.page_request(page(i)));
  ASSERT_TRUE(machine->driver.page_request(page(4, 0x77)));
  machine->driver.run_until_idle();
  ASSERT_EQ(machine->driver.messages().size(), 2U);
  EXPECT_EQ(machine->driver.messages()[0].payload >> 44 & 15, 0U) << "overflow: success";
  EXPECT_EQ(machine->driver.messages()[1].payload >> 44 & 15, 15U) << "no context: failure";
  EXPECT_EQ(machine->engine.stats().page_requests.queued.value(), 3U);
  EXPECT_EQ(machine->engine.stats().page_requests.responses.value(), 2U);
  EXPECT_EQ(machine->engine.stats().page_requests.faulted.value(), 1U);
  EXPECT_EQ(machine->engine.stats().faults.recorded.value(), 1U);
}

TEST_F(MessagesTest, APageRequestBehindOneWhoseFaultIsBeingRecordedIsHandled) {
  build();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(machine->driver.page_request(page(4, 0x77)));
  ASSERT_TRUE(machine->driver.page_request(page(9)));
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->driver.messages().size(), 3U);
  EXPECT_EQ(machine->engine.stats().faults.recorded.value(), 3U);
  EXPECT_EQ(machine->engine.stats().page_requests.queued.value(), 1U);
}

TEST_F(MessagesTest, PageRequestStartCycles) {
  const auto queued_after = [this] {
    build();
    const base::Cycle start = machine->driver.now();
    machine->driver.page_request(page(9));
    while (machine->driver.read_register(spec::kPqtOffset, 4) == 0 && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  };
  const base::Cycle before = queued_after();
  params.queues.page_request_start_cycles += 7;
  EXPECT_EQ(queued_after(), before + 7);
}

TEST_F(MessagesTest, PageRequestDepthHoldsDevicesBack) {
  params.queues.page_request_depth = 2;
  build();
  EXPECT_TRUE(machine->driver.page_request(page(1)));
  EXPECT_TRUE(machine->driver.page_request(page(2)));
  EXPECT_FALSE(machine->driver.page_request(page(3)));
  machine->driver.run_until_idle();
  EXPECT_TRUE(machine->driver.page_request(page(3)));
}

TEST_F(MessagesTest, AFenceWaitsForTheCompletionOfInvalidations) {
  build();
  submit(ats(spec::ats_func3::kInval));
  ASSERT_EQ(machine->driver.messages().size(), 1U);
  EXPECT_EQ(machine->driver.messages()[0].kind, translate::DeviceMessage::Kind::kInvalidationRequest);
  EXPECT_EQ(machine->head(), 1U);
  submit(kFence);
  EXPECT_EQ(machine->head(), 1U) << "it waits for the device";
  EXPECT_FALSE(machine->engine.idle());
  translate::InvalidationCompletion completion;
  completion.function.rid = 0x4321;
  completion.itag_vector = 1;
  completion.count = 1;
  EXPECT_FALSE(machine->driver.invalidation_completion(completion)) << "of another function";
  completion.function.rid = 0x1234;
  const base::Cycle start = machine->driver.now();
  EXPECT_TRUE(machine->driver.invalidation_completion(completion));
  while (machine->head() == 1 && machine->driver.advance()) {
  }
  EXPECT_EQ(machine->driver.now() - start, params.queues.command_finish_cycles);
  EXPECT_EQ(machine->engine.stats().commands.ats.value(), 1U);
  EXPECT_TRUE(machine->engine.idle());
}

TEST_F(MessagesTest, WithoutAFreeTagACommandWaitsAndATimeOutHoldsTheFence) {
  build();
  for (int i = 0; i < 3; ++i) submit(ats(spec::ats_func3::kInval));
  EXPECT_EQ(machine->head(), 2U);
  EXPECT_EQ(machine->driver.messages().size(), 2U);
  machine->driver.invalidation_time_out(1);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->head(), 3U);
  ASSERT_EQ(machine->driver.messages().size(), 3U);
  EXPECT_EQ(machine->driver.messages()[2].itag, 0U);
  submit(kFence);
  machine->driver.invalidation_time_out(3);
  machine->driver.run_until_idle();
  EXPECT_EQ(machine->head(), 3U);
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(machine->driver.read_register(spec::kCqcsrOffset, 4)));
}

TEST_F(MessagesTest, TheQueueStaysBusyWhileACommandWaits) {
  build();
  submit(ats(spec::ats_func3::kInval));
  submit(kFence);
  machine->driver.write_register(spec::kCqcsrOffset, 4, 0);
  machine->driver.run_until_idle();
  const auto busy = [&] { return spec::cqcsr::kBusy.is_set(machine->driver.read_register(spec::kCqcsrOffset, 4)); };
  EXPECT_TRUE(busy());
  machine->driver.invalidation_time_out(1);
  machine->driver.run_until_idle();
  EXPECT_FALSE(busy());
}

TEST_F(MessagesTest, AnAtsRequestIsAnsweredAndNothingIsForwarded) {
  build();
  AddressSpace space = machine->tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine->tables.attach(5, space, spec::dc_tc::kEnAts.mask());
  translate::Request request = Machine::request(5, 0x10000);
  request.type = translate::AddressType::kAtsRequest;
  ASSERT_TRUE(machine->driver.offer(request, 0));
  machine->driver.run_until_idle();
  const Finished& done = machine->driver.finished().at(0);
  EXPECT_TRUE(done.outcome.ats.r && done.outcome.ats.w);
  EXPECT_EQ(done.outcome.spa, 0x50000U);
  EXPECT_FALSE(done.forwards);
  submit(kFence);
  EXPECT_EQ(machine->head(), machine->tail());
}

TEST_F(MessagesTest, KeepAtsFalseLeavesTranslationsOfAtsRequestsToTheDevice) {
  for (const bool keep_ats : {true, false}) {
    params.keep_ats = keep_ats;
    build();
    AddressSpace space = machine->tables.space(8, 0);
    space.map(0x10000, 0x50000);
    machine->tables.attach(5, space, spec::dc_tc::kEnAts.mask());
    translate::Request request = Machine::request(5, 0x10000);
    const auto walk_reads = [&](translate::AddressType type) {
      machine->tables.memory.clear_counts();
      request.type = type;
      EXPECT_TRUE(machine->driver.offer(request, 0));
      machine->driver.run_until_idle();
      return machine->tables.memory.reads_of(translate::Structure::kFirstStage);
    };
    EXPECT_EQ(walk_reads(translate::AddressType::kAtsRequest), 3U);
    EXPECT_EQ(walk_reads(translate::AddressType::kAtsRequest), keep_ats ? 0U : 3U);
    EXPECT_EQ(walk_reads(translate::AddressType::kUntranslated), keep_ats ? 0U : 3U);
    EXPECT_EQ(walk_reads(translate::AddressType::kAtsRequest), 0U) << "what others left may serve it";
  }
}

}  // namespace
}  // namespace iommusim::timing::test
