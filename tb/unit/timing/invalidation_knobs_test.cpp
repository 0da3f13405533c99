// SPDX-License-Identifier: Apache-2.0
// What invalidations clear and how long they take, and how the sets of caches are chosen.
#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

struct InvalidationKnobs : ::testing::Test {
  EngineParams params;
  std::unique_ptr<TimedMachine> machine;

  TimedMachine& build() {
    PlainDriverParams driver;
    driver.memory_cycles = 20;
    machine = std::make_unique<TimedMachine>(params, driver, 1);
    for (std::uint32_t device = 1; device <= 2; ++device) {
      AddressSpace space = machine->tables.space(8, 0);
      for (std::uint64_t page = 0; page < 4; ++page) space.map(0x10000 + page * 0x1000, 0x50000 + page * 0x1000);
      machine->tables.attach(device, space, 0, 1, device);
    }
    machine->driver.advance(machine->driver.now() + 100);
    return *machine;
  }
  base::Cycle cycles_of(std::uint64_t word0, std::uint64_t word1) {
    const base::Cycle start = machine->driver.now();
    machine->queue_command(word0, word1);
    machine->submit();
    while (machine->head() != machine->tail() && machine->driver.advance()) {
    }
    return machine->driver.now() - start;
  }
  /// Two pages of device 1 and one of device 2 are cached; how many are left after IOTINVAL of one page of device 1.
  std::uint64_t left_after_one_page() {
    build();
    machine->translate(1, 0x10000);
    machine->translate(1, 0x11000);
    machine->translate(2, 0x10000);
    cycles_of(iotinval_page(1), address_word(0x10000));
    const IotlbStats& stats = machine->engine.stats().iotlb;
    return stats.fills.value() - stats.invalidated.value();
  }
};

TEST_F(InvalidationKnobs, Scope) {
  EXPECT_EQ(left_after_one_page(), 2U);
  params.invalidation.scope = InvalidationScope::kSpace;
  EXPECT_EQ(left_after_one_page(), 1U);
  params.invalidation.scope = InvalidationScope::kEverything;
  EXPECT_EQ(left_after_one_page(), 0U);
}

TEST_F(InvalidationKnobs, LeafClearsWalkCache) {
  const auto reads_after = [this] {
    build().translate(1, 0x10000);
    cycles_of(iotinval_page(1), address_word(0x10000));
    machine->translate(1, 0x10000);
    return machine->engine.stats().walks.reads.data().sum();
  };
  EXPECT_EQ(reads_after(), 3U + 1U);
  params.invalidation.leaf_clears_walk_cache = true;
  EXPECT_EQ(reads_after(), 3U + 3U);
}

TEST_F(InvalidationKnobs, CyclesAndEntryCycles) {
  const auto one = [this](std::uint64_t word0) {
    build();
    return cycles_of(word0, 0);
  };
  const base::Cycle tlb = one(spec::opcode::kIotinval), directory = one(kInvalAllDevices), fence = one(kFence);
  params.invalidation.cycles = 9;
  EXPECT_EQ(one(spec::opcode::kIotinval), tlb + 9);
  EXPECT_EQ(one(kInvalAllDevices), directory + 9);
  EXPECT_EQ(one(kFence), fence);
  params.invalidation.cycles = 0;
  params.invalidation.entry_cycles = 2;
  EXPECT_EQ(one(spec::opcode::kIotinval), tlb + 2 * (params.iotlb.entries + params.walk_cache.first_stage.entries()));
  EXPECT_EQ(one(kInvalAllDevices),
            directory + 2 * (params.ddt_cache.entries + params.pdt_cache.entries + params.directory_cache.entries));
}

/// Two devices with the same IOVAs: whether they take each other's entries is a matter of the index.
TEST_F(InvalidationKnobs, Index) {
  params.iotlb.entries = 256;
  params.iotlb.ways = 1;
  const auto evictions = [this] {
    build();
    for (unsigned i = 0; i < 2; ++i)
      for (std::uint32_t device = 1; device <= 2; ++device) machine->translate(device, 0x10000);
    return machine->engine.stats().iotlb.evictions.value();
  };
  EXPECT_EQ(evictions(), 3U);
  params.iotlb.index = Index::kFolded;
  EXPECT_EQ(evictions(), 3U);
  params.iotlb.index = Index::kFoldedSpace;
  EXPECT_EQ(evictions(), 0U);
}

/// Pages whose low bits are equal: folding spreads them.
TEST_F(InvalidationKnobs, Index_FoldedUsesTheHighBits) {
  params.iotlb.entries = 16;
  params.iotlb.ways = 1;
  const auto evictions = [this] {
    build();
    AddressSpace space = machine->tables.space(8, 0);
    for (std::uint64_t i = 0; i < 4; ++i) space.map(i << 16, 0x50000);
    machine->tables.attach(3, space, 0, 1, 3);
    for (std::uint64_t i = 0; i < 4; ++i) machine->translate(3, i << 16);
    return machine->engine.stats().iotlb.evictions.value();
  };
  EXPECT_EQ(evictions(), 3U);
  params.iotlb.index = Index::kFolded;
  EXPECT_EQ(evictions(), 0U);
}

}  // namespace
}  // namespace iommusim::timing::test
