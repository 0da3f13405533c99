// SPDX-License-Identifier: Apache-2.0
#include "timing/plain_driver.h"

#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

TEST(PlainDriver, GoesNoFurtherThanTheLimit) {
  TimedMachine machine;
  AddressSpace space = machine.tables.space(8, 0);
  space.map(0x10000, 0x50000);
  machine.tables.attach(5, space);
  const base::Cycle start = machine.driver.now();
  machine.driver.offer(Machine::request(5, 0x10000), 0);
  while (machine.driver.advance(start + 50)) {
  }
  EXPECT_EQ(machine.driver.now(), start + 50);
  EXPECT_TRUE(machine.driver.finished().empty());
}

TEST(PlainDriver, TheSameSeedGivesTheSameCycles) {
  const auto run = [](std::uint64_t seed) {
    PlainDriverParams params;
    params.memory_jitter = 90;
    params.seed = seed;
    TimedMachine machine({}, params);
    AddressSpace space = machine.tables.space(9, 8);
    for (std::uint64_t page = 0; page < 16; ++page) space.map(0x10000 + page * 0x1000, 0x50000 + page * 0x1000);
    machine.tables.attach(5, space);
    for (std::uint64_t i = 0; i < 16; ++i) machine.driver.offer(Machine::request(5, 0x10000 + i * 0x1000), i);
    machine.driver.run_until_idle();
    return machine.driver.now();
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

TEST(PlainDriver, TellsTheStateWhenTheIommuIsStuck) {
  TimedMachine machine;
  machine.driver.offer(Machine::request(5, 0x10000), 0);
  // A lost memory answer, made by taking the request away behind the driver's back.
  machine.engine.step(machine.driver.now() + 1);
  while (!machine.engine.memory_requests().empty()) machine.engine.memory_requests().pop();
  try {
    machine.driver.run_until_idle();
    FAIL() << "nothing was noticed";
  } catch (const base::Contradiction& error) {
    EXPECT_NE(std::string(error.what()).find("device walk"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace iommusim::timing::test
