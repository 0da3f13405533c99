// SPDX-License-Identifier: Apache-2.0
#include "translate/functional.h"

#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

TEST(FunctionalEngine, PeekLeavesNoTrace) {
  Machine machine;
  AddressSpace space = machine.space(8, 8);
  space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kA & ~flags::kD);
  machine.attach(7, space);
  machine.memory.clear_counts();
  const Outcome outcome = machine.engine.peek(Machine::request(7, 0x1234, Access::kWrite));
  EXPECT_EQ(outcome.spa, 0x3234 + kGuestOffset) << "A and D are not demanded";
  EXPECT_EQ(machine.engine.peek(Machine::request(7, 0x2000)).fault.cause, 13);
  EXPECT_EQ(machine.memory.writes + machine.memory.swaps, 0U);
  EXPECT_TRUE(machine.take_records().empty());
  EXPECT_EQ(machine.translate(7, 0x1234, Access::kWrite).fault.cause, 15) << "translate() does demand them";
}

TEST(FunctionalEngine, CommandsRunAfterTheTailMovesOrOnRequest) {
  Machine machine;
  machine.engine.set_commands_run_freely(false);
  machine.command(1, 0);
  machine.command(1, 0);
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 0U);
  EXPECT_TRUE(machine.engine.run_one_command());
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 1U);
  machine.engine.set_commands_run_freely(true);
  machine.command(1, 0);
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 3U);
  EXPECT_FALSE(machine.engine.run_one_command());
}

TEST(FunctionalEngine, TranslatesUnseenWhatLeavesNoTrace) {
  spec::Implementation implementation;
  implementation.hpm = true;
  implementation.num_hpm = 2;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 0);
  space.map(0x1000, 0x3000);
  space.map(0x2000, 0x4000, 0, flags::kAll & ~flags::kD);
  machine.attach(7, space, spec::dc_tc::kSade.mask());
  const auto unseen = [&](std::uint64_t iova, Access access = Access::kRead) {
    return machine.engine.translate_unseen(Machine::request(7, iova, access));
  };
  ASSERT_TRUE(unseen(0x1234, Access::kWrite).has_value());
  EXPECT_EQ(unseen(0x1234, Access::kWrite)->spa, 0x3234U);
  EXPECT_EQ(unseen(0x2234)->spa, 0x4234U);
  EXPECT_FALSE(unseen(0x2234, Access::kWrite).has_value()) << "D would be set";
  EXPECT_FALSE(unseen(0x5000).has_value()) << "a fault";
  machine.write(spec::kIohpmevtOffset, 1);
  EXPECT_FALSE(unseen(0x1234).has_value()) << "a request is to be counted";
  EXPECT_EQ(machine.memory.writes + machine.memory.swaps, 0U);
  EXPECT_TRUE(machine.take_records().empty());
}

TEST(FunctionalEngine, MessagesAreNotCounted) {
  spec::Implementation implementation;
  implementation.hpm = implementation.ats = true;
  implementation.num_hpm = 4;
  Machine machine(implementation);
  machine.attach(7, machine.space(0, 0), spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
  for (std::uint32_t event = 1; event <= 3; ++event) machine.write(spec::kIohpmevtOffset + 8 * (event - 1), event);
  PageRequest message;
  message.function.rid = 7;
  machine.engine.page_request(message);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(machine.read(spec::kIohpmctrOffset + 8 * i), 0U) << i;
  machine.translate(7, 0x1000);
  EXPECT_EQ(machine.read(spec::kIohpmctrOffset), 1U);
}

}  // namespace iommusim::translate::test
