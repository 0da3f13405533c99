// SPDX-License-Identifier: Apache-2.0
// The simulated machine under threads of the host: DMA through the IOMMU into memory of the host, interrupts, faults,
// many threads at once, and the end of a run.
#include "platform/exec/exec_machine.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "devices/pattern.h"
#include "platform/checks.h"
#include "unit/platform/exec/exec_rig.h"

namespace iommusim::platform {
namespace {

namespace test_hw = device_hw::pci_test;
namespace engine_hw = device_hw::dma_engine;
using exec_rig::Rig;
using exec_rig::soon;

constexpr std::uint64_t kIova = 0x10'0000'0000;
constexpr unsigned kReadWrite = domain::kRead | domain::kWrite;

SC_TEST(ExecMachine, DmaReachesMemoryOfTheHost) {
  Rig rig;
  domain::Domain& domain = rig.attach("test");
  ASSERT_EQ(domain.map(kIova, Rig::kUser, 8192, kReadWrite), 0);
  devices::fill_pattern(3, 0, rig.user(0), 4096);
  EXPECT_EQ(rig.transfer(kIova, true), test_hw::kDone);
  EXPECT_EQ(rig.transfer(kIova + 4096, false), test_hw::kDone);
  EXPECT_EQ(std::memcmp(rig.user(0), rig.user(4096), 4096), 0);
  EXPECT_TRUE(soon([&] { return rig.sink.messages[0].load() == 2; }));
  domain::Gather gather;
  EXPECT_EQ(domain.unmap(kIova, 8192, gather), 8192U);
  EXPECT_TRUE(domain.sync(gather));
  rig.close();
  rig.machine.finish(true);
  EXPECT_EQ(rig.machine.totals().transfers, 2U);
  EXPECT_EQ(rig.machine.totals().bytes_moved, 8192U);
}

SC_TEST(ExecMachine, WhatIsNotMappedFaultsAndTheDriverDrainsTheRecord) {
  Rig rig;
  domain::Domain& domain = rig.attach("test");
  ASSERT_EQ(domain.map(kIova, Rig::kUser, 4096, domain::kRead), 0);
  EXPECT_EQ(rig.transfer(kIova + 4096, true), test_hw::kFailed);
  EXPECT_EQ(rig.transfer(kIova, false), test_hw::kFailed) << "may be read only";
  EXPECT_EQ(rig.transfer(kIova, true), test_hw::kDone);
  rig.close();
  rig.machine.finish(true);
  EXPECT_NE(rig.machine.summary().find("2 reported, 2 recorded, 2 drained"), std::string::npos)
      << rig.machine.summary();
}

SC_TEST(ExecMachine, HardwareWorksOnWhileTheProgramSleeps) {
  Rig rig;
  domain::Domain& domain = rig.attach("engine");
  ASSERT_EQ(domain.map(0, Rig::kUser, 1 << 20, kReadWrite), 0);
  ExecFunction& engine = *rig.slot("engine").function;
  auto* const ring = reinterpret_cast<engine_hw::Descriptor*>(rig.user(0));
  devices::fill_pattern(9, 0, rig.user(0x10000), 0x10000);
  ring[0] = {engine_hw::kCopy | engine_hw::kInterrupt, 0x10000, 0x10000, 0x20000, 0, 0};
  engine.bar_write(0, engine_hw::channel_register(1, engine_hw::kRingBase), 8, 0);
  engine.bar_write(0, engine_hw::channel_register(1, engine_hw::kRingEntries), 4, 16);
  engine.bar_write(0, engine_hw::channel_register(1, engine_hw::kControl), 4, engine_hw::kEnable);
  engine.bar_write(0, engine_hw::channel_register(1, engine_hw::kTail), 4, 1);
  EXPECT_TRUE(soon([&] { return rig.sink.messages[1].load() == 1; }));
  EXPECT_EQ(ring[0].outcome, engine_hw::kDone);
  EXPECT_EQ(std::memcmp(rig.user(0x10000), rig.user(0x20000), 0x10000), 0);
  rig.close();
  rig.machine.finish(true);
}

SC_TEST(ExecMachine, ThreadsOfTheProgramWorkSideBySide) {
  Rig rig;
  domain::Domain& domain = rig.attach("test");
  rig.attach("engine");
  ASSERT_EQ(domain.map(kIova, Rig::kUser, 4096, kReadWrite), 0);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {  // map, unmap and invalidate beside the DMA
      const hal::SimDriver::Call call(rig.machine.driver());
      const std::uint64_t iova = kIova + (t + 1) * (1ULL << 30);
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(domain.map(iova, Rig::kUser, 64 << 10, kReadWrite), 0);
        domain::Gather gather;
        EXPECT_EQ(domain.unmap(iova, 64 << 10, gather), 64U << 10);
        EXPECT_TRUE(domain.sync(gather));
      }
    });
  threads.emplace_back([&] {
    while (!stop.load()) (void)rig.slot("engine").function->bar_read(0, engine_hw::kIdentity, 4);
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(rig.transfer(kIova, i % 2 == 0), test_hw::kDone);
  for (std::size_t t = 0; t < 3; ++t) threads[t].join();
  stop = true;
  threads.back().join();
  rig.close();
  rig.machine.finish(true);
}

SC_TEST(ExecMachine, AProgramThatLeavesThingsOpenStillGetsItsResults) {
  Rig& rig = *new Rig;  // as such a program: nothing is taken apart
  rig.attach("test");
  EXPECT_EQ(rig.transfer(kIova, true), test_hw::kFailed);
  rig.machine.finish(false);
  const std::string folder = ::testing::TempDir() + "exec-results-" + std::to_string(getpid());
  rig.machine.write_results(folder);
  std::stringstream text;
  text << std::ifstream(folder + "/stats.json").rdbuf();
  EXPECT_NE(text.str().find("\"failed_transfers\": 1"), std::string::npos);
  EXPECT_NE(text.str().find("\"simulated_ps\""), std::string::npos);
  EXPECT_TRUE(std::ifstream(folder + "/config.yaml").good());
  EXPECT_TRUE(std::ifstream(folder + "/summary.txt").good());
  std::filesystem::remove_all(folder);
}

SC_TEST(ExecMachine, MemoryThatDoesNotFitIsRefused) {
  SystemParams params = exec_rig::two_devices();
  params.software.kernel_memory_bytes = 600 << 20;
  EXPECT_THROW(Rig{params}, ParameterError);
  params = exec_rig::two_devices();
  params.memory.physical_bits = 29;
  EXPECT_THROW(Rig{params}, ParameterError);
}

}  // namespace
}  // namespace iommusim::platform
