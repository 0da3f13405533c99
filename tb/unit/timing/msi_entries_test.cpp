// SPDX-License-Identifier: Apache-2.0
// The cache of MSI page-table entries: what it saves, and what takes its entries away.
#include <gtest/gtest.h>

#include "timed_machine.h"

namespace iommusim::timing::test {
namespace {

constexpr std::uint64_t kMsiFile = 0x40000000;
constexpr base::Cycle kMsiMemory = 50;

struct MsiEntries : ::testing::Test {
  EngineParams params = bare_params();
  std::unique_ptr<TimedMachine> machine;
  std::uint64_t table = 0;

  void build() {
    PlainDriverParams driver;
    driver.memory_cycles = kMsiMemory;
    spec::Implementation implementation;
    implementation.msi_flat = true;
    params.ddt_cache.entries = 4;
    machine = std::make_unique<TimedMachine>(params, driver, 1, implementation);
    AddressSpace space = machine->tables.space(0, 8);
    space.map(0x90000000, 0x90000000);
    spec::DeviceContext context = machine->tables.attach(5, space);
    table = machine->tables.frames.take();
    point_to(0x123);
    context.words[4] = spec::dc_msiptp::kMode.of(spec::msiptp_mode::kFlat) | spec::dc_msiptp::kPpn.of(table >> 12);
    context.words[6] = kMsiFile >> 12;
    machine->tables.set_context(5, context);
    machine->translate(5, kMsiFile, Access::kWrite);
  }
  void point_to(std::uint64_t frame, std::uint64_t more = 0) {
    machine->tables.memory.store(table, spec::msi_pte_w0::kV.mask() |
                                            spec::msi_pte_w0::kM.of(spec::msi_pte_mode::kBasic) |
                                            spec::msi_pte_w0::kPpn.of(frame) | more);
  }
  translate::Outcome send() { return machine->translate(5, kMsiFile | 4, Access::kWrite).outcome; }
  base::Cycle cycles() {
    const Finished done = machine->translate(5, kMsiFile, Access::kWrite);
    return done.done - done.accepted;
  }
  void command(std::uint64_t word0, std::uint64_t word1 = 0) {
    machine->queue_command(word0, word1);
    machine->submit();
    machine->driver.run_until_idle();
  }
};

constexpr std::uint64_t kMsiGvma = spec::opcode::kIotinval | spec::iotinval_w0::kFunc3.of(spec::iotinval_func3::kGvma);

TEST_F(MsiEntries, WithoutTheCacheEachMessageReads) {
  build();
  EXPECT_EQ(cycles(), 1 + kMsiMemory);
  EXPECT_EQ(machine->engine.stats().msi_cache.lookups.value(), 0U);
}

TEST_F(MsiEntries, MsiCacheAHitReadsNothing) {
  params.msi_cache.entries = 2;
  params.msi_cache.lookup_cycles = 3;
  build();
  EXPECT_EQ(cycles(), 1U + 3U);
  EXPECT_EQ(machine->engine.stats().msi_cache.hits.value(), 1U);
  stats::check_identities(machine->root);
}

TEST_F(MsiEntries, MsiPteEarlyDoesNotWaitForTheSecondBeat) {
  params.memory_port.beat_bytes = 8;
  build();
  const base::Cycle whole = cycles();
  params.memory_port.msi_pte_early = true;
  build();
  EXPECT_EQ(cycles(), whole - 1);
}

TEST_F(MsiEntries, GvmaTakesThemAway) {
  params.msi_cache.entries = 2;
  build();
  point_to(0x456);
  EXPECT_EQ(send().spa, 0x123004U) << "software sent no command yet";
  command(spec::opcode::kIotinval);
  EXPECT_EQ(send().spa, 0x123004U) << "IOTINVAL.VMA is not for them";
  command(kMsiGvma | spec::iotinval_w0::kGv.mask() | spec::iotinval_w0::kGscid.of(2));
  EXPECT_EQ(send().spa, 0x123004U) << "another VM";
  command(kMsiGvma | spec::iotinval_w0::kGv.mask() | spec::iotinval_w0::kAv.mask() | spec::iotinval_w0::kGscid.of(1),
          (kMsiFile + 0x1000) >> 2);
  EXPECT_EQ(send().spa, 0x123004U) << "another page";
  command(kMsiGvma | spec::iotinval_w0::kGv.mask() | spec::iotinval_w0::kAv.mask() | spec::iotinval_w0::kGscid.of(1),
          kMsiFile >> 2);
  EXPECT_EQ(send().spa, 0x456004U);
  point_to(0x789);
  command(kMsiGvma);
  EXPECT_EQ(send().spa, 0x789004U);
}

TEST_F(MsiEntries, WhatFaultsIsNotKept) {
  params.msi_cache.entries = 2;
  build();
  point_to(0x456, spec::msi_pte_w0::kC.mask());
  command(kMsiGvma);
  EXPECT_EQ(send().fault.cause, 263);
  point_to(0x456);
  EXPECT_EQ(send().spa, 0x456004U);
}

}  // namespace
}  // namespace iommusim::timing::test
