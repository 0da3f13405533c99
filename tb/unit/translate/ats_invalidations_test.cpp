// SPDX-License-Identifier: Apache-2.0
// ATS invalidation requests and the commands and fences that wait for them (IOMMU 3.1.2, 3.1.4).
#include "translate/ats_invalidations.h"

#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

constexpr DeviceFunction kFunction{0x1234, true, 0x43};

TEST(AtsInvalidations, CountsMessagesByTag) {
  AtsInvalidations invalidations(2);
  EXPECT_EQ(invalidations.take_tag(kFunction), 0);
  EXPECT_EQ(invalidations.take_tag(kFunction), 1);
  EXPECT_FALSE(invalidations.has_free_tag());
  EXPECT_FALSE(invalidations.complete({{0x1234, true, 0x44}, 1, 1})) << "another function";
  EXPECT_FALSE(invalidations.complete({kFunction, 4, 1})) << "a tag not in use";
  EXPECT_TRUE(invalidations.complete({kFunction, 3, 2}));
  EXPECT_TRUE(invalidations.outstanding());
  EXPECT_TRUE(invalidations.complete({kFunction, 3, 2}));
  EXPECT_FALSE(invalidations.outstanding());
}

TEST(AtsInvalidations, CountZeroMeansEight) {
  AtsInvalidations invalidations(1);
  invalidations.take_tag(kFunction);
  for (unsigned i = 0; i < 7; ++i) EXPECT_TRUE(invalidations.complete({kFunction, 1, 0}));
  EXPECT_TRUE(invalidations.outstanding());
  EXPECT_TRUE(invalidations.complete({kFunction, 1, 0}));
  EXPECT_FALSE(invalidations.outstanding());
}

TEST(AtsInvalidations, TimeOutIsToldOnce) {
  AtsInvalidations invalidations(2);
  invalidations.take_tag(kFunction);
  invalidations.time_out(2);
  EXPECT_FALSE(invalidations.take_time_out()) << "tag 1 was not in use";
  invalidations.time_out(1);
  EXPECT_FALSE(invalidations.outstanding());
  EXPECT_TRUE(invalidations.take_time_out());
  EXPECT_FALSE(invalidations.take_time_out());
}

struct AtsCommands : MessagePort {
  Machine machine;
  FunctionalEngine engine;
  std::vector<DeviceMessage> sent;
  AtsCommands()
      : machine([] {
          spec::Implementation implementation;
          implementation.ats = true;
          implementation.itags = 2;
          return implementation;
        }()),
        engine(machine.registers, machine.memory, this) {
    machine.engine.set_commands_run_freely(false);
  }
  void send(const DeviceMessage& message) override { sent.push_back(message); }
  void command(std::uint64_t word0, std::uint64_t word1) {
    machine.command(word0, word1);
    engine.run_commands();
  }
  void invalidate() { command(4 | 1ULL << 33 | 0x1234ULL << 40 | 0x43ULL << 56, 0xabc000); }
  std::uint64_t head() const { return machine.read32(spec::kCqhOffset); }
};

TEST(AtsCommands, AreSentWithTheirOperands) {
  AtsCommands ats;
  ats.command(4 | 0x99ULL << 12 | 1ULL << 32 | 0x1234ULL << 40 | 0x43ULL << 56, 0xabc000);
  ats.command(4 | 1 << 7 | 0x99ULL << 12 | 1ULL << 33 | 0x1234ULL << 40 | 0x43ULL << 56, 0x123456789);
  ASSERT_EQ(ats.sent.size(), 2U);
  EXPECT_EQ(ats.sent[0].kind, DeviceMessage::Kind::kInvalidationRequest);
  EXPECT_TRUE(ats.sent[0].function == (DeviceFunction{0x1234, false, 0})) << "DSV = 0";
  EXPECT_TRUE(ats.sent[0].process_valid);
  EXPECT_EQ(ats.sent[0].process.value, 0x99U);
  EXPECT_EQ(ats.sent[0].payload, 0xabc000U);
  EXPECT_EQ(ats.sent[1].kind, DeviceMessage::Kind::kPageResponse);
  EXPECT_TRUE(ats.sent[1].function == kFunction);
  EXPECT_FALSE(ats.sent[1].process_valid);
  EXPECT_EQ(ats.head(), 2U);
}

TEST(AtsCommands, ReservedBitsAndFunctionsAreIllegal) {
  for (const std::uint64_t word0 : {4ULL | 2 << 7, 4ULL | 1 << 10, 4ULL | 1ULL << 34, 4ULL | 1ULL << 39}) {
    AtsCommands ats;
    ats.command(word0, 0);
    EXPECT_TRUE(spec::cqcsr::kCmdIll.is_set(ats.machine.read32(spec::kCqcsrOffset))) << word0;
  }
}

TEST(AtsCommands, FenceWaitsForOutstandingInvalidations) {
  AtsCommands ats;
  ats.invalidate();
  ats.command(2, 0);
  EXPECT_EQ(ats.head(), 1U);
  ats.command(1, 0);
  EXPECT_EQ(ats.head(), 1U) << "what follows the fence waits too";
  EXPECT_FALSE(ats.engine.invalidation_completion({{0x9999, true, 0x43}, 1, 1}));
  EXPECT_EQ(ats.head(), 1U);
  EXPECT_TRUE(ats.engine.invalidation_completion({kFunction, 1, 1}));
  EXPECT_EQ(ats.head(), 3U);
}

TEST(AtsCommands, CommandWithoutAFreeTagWaits) {
  AtsCommands ats;
  for (unsigned i = 0; i < 3; ++i) ats.invalidate();
  EXPECT_EQ(ats.sent.size(), 2U);
  EXPECT_EQ(ats.head(), 2U);
  ats.engine.invalidation_completion({kFunction, 1, 1});
  EXPECT_EQ(ats.sent.size(), 3U);
  EXPECT_EQ(ats.sent[2].itag, 0);
  EXPECT_EQ(ats.head(), 3U);
}

TEST(AtsCommands, TimeOutIsReportedByTheFence) {
  AtsCommands ats;
  ats.invalidate();
  ats.command(2, 0);
  ats.engine.invalidation_time_out(1);
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(ats.machine.read32(spec::kCqcsrOffset)));
  EXPECT_EQ(ats.head(), 1U);
  ats.machine.write32(spec::kCqcsrOffset, 3 | spec::cqcsr::kCmdTo.mask());
  ats.engine.run_commands();
  EXPECT_EQ(ats.head(), 2U) << "told once";
}

TEST(AtsCommands, QueueTurnedOffStaysBusyWhileACommandWaits) {
  AtsCommands ats;
  ats.invalidate();
  ats.command(2, 0);
  ats.engine.write_register(spec::kCqcsrOffset, 4, 0);
  EXPECT_EQ(ats.machine.read32(spec::kCqcsrOffset), spec::cqcsr::kCqon.mask() | spec::cqcsr::kBusy.mask());
  ats.engine.invalidation_completion({kFunction, 1, 1});
  EXPECT_EQ(ats.machine.read32(spec::kCqcsrOffset), 0U);
}

}  // namespace iommusim::translate::test
