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

}  // namespace iommusim::translate::test
