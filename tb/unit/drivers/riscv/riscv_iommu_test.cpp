// SPDX-License-Identifier: Apache-2.0
// Probe, remove, shutdown: register accesses in the order of riscv_driver.md 2 and 9; refusals leave nothing behind.
#include "drivers/riscv/riscv_iommu.h"

#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

TEST(RiscvIommu, ProbeInTheOrderOfTheContract) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  EXPECT_EQ(bench.hardware.take(true), (Events{"read capabilities",
                                               "read fctl",
                                               "read ddtp",  // 1, 2
                                               "write fctl 0x2",
                                               "write icvec 0x2310",
                                               "read icvec",  // 4, 5
                                               "read ddtp",
                                               "write ddtp 0x0",
                                               "read ddtp",  // 6
                                               "write cqb 0x1f",
                                               "read cqb",
                                               "write cqb 0x20000402",
                                               "read cqb",  // 7
                                               "write cqcsr 0x103",
                                               "read cqcsr",
                                               "write ipsr 0x1",  //
                                               "write fqb 0x1f",
                                               "read fqb",
                                               "write fqb 0x20000801",
                                               "read fqb",
                                               "write fqh 0x0",  // 8
                                               "write fqcsr 0x103",
                                               "read fqcsr",
                                               "write ipsr 0x2",  //
                                               "write ddtp 0x20000004",
                                               "read ddtp",  // 10
                                               "INVAL_DDT",
                                               "IOTINVAL.VMA",
                                               "IOFENCE.C pr pw",
                                               "read cqh"}));  // 11
  EXPECT_TRUE(bench.interrupts.connected(0));
  EXPECT_TRUE(bench.interrupts.connected(1));
  EXPECT_FALSE(bench.interrupts.connected(2));
}

TEST(RiscvIommu, DefaultQueueSizes) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system);
  ASSERT_EQ(iommu.probe(), 0);
  EXPECT_EQ(bench.hardware.peek(hw::kCqbOffset) & 31, 12U);  // 8192 entries
  EXPECT_EQ(bench.hardware.peek(hw::kFqbOffset) & 31, 11U);  // 4096 entries
}

TEST(RiscvIommu, RefusesWhatItDoesNotDriveWithoutTouchingIt) {
  struct Case {
    std::uint64_t capabilities;
    std::uint64_t ddtp;
    int error;
  };
  const std::uint64_t good = ScriptedIommu::Script().capabilities;
  for (const Case& one : {Case{good + 1, 0, ENODEV}, Case{good, 4, EBUSY}, Case{good, 0x10, EBUSY}}) {
    ScriptedIommu::Script script;
    script.capabilities = one.capabilities;
    script.ddtp = one.ddtp;
    Bench bench(script);
    RiscvIommu iommu(bench.ports, bench.system);
    EXPECT_EQ(iommu.probe(), one.error);
    EXPECT_TRUE(bench.hardware.take().empty());
    EXPECT_EQ(bench.os.now_ns(), 0U);  // a single look at ddtp
  }
}

TEST(RiscvIommu, ABareIommuIsTakenOver) {
  ScriptedIommu::Script script;
  script.ddtp = 1;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system);
  EXPECT_EQ(iommu.probe(), 0);
}

TEST(RiscvIommu, AFailedProbeSwitchesOffAndReturnsAllMemory) {
  ScriptedIommu::Script script;
  script.max_directory_mode = 1;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  EXPECT_EQ(iommu.probe(), ENODEV);
  const Events events = bench.hardware.take();
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events[events.size() - 3].substr(0, 10), "write ddtp");
  EXPECT_EQ(Events(events.end() - 2, events.end()), (Events{"write cqcsr 0x0", "write fqcsr 0x0"}));
  EXPECT_EQ(bench.hardware.peek(hw::kDdtpOffset) & 15, 0U);
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  EXPECT_FALSE(bench.interrupts.connected(0));
}

TEST(RiscvIommu, RemoveBlocksDevicesThenSwitchesOff) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  int error = -1;
  RiscvDevice* device = iommu.add_device({{5}, 3, {}}, error);
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device->alloc_domain(domain), 0);
  ASSERT_EQ(device->attach(*domain), 0);
  iommu.remove();
  const Events events = bench.hardware.take();
  ASSERT_GE(events.size(), 7U);
  // "write ipsr" drains the fault queue: a record may wait there whose interrupt was not served.
  EXPECT_EQ(Events(events.end() - 7, events.end()),
            (Events{"write ddtp 0x20000000", "INVAL_DDT", "IOTINVAL.VMA", "IOFENCE.C pr pw", "write ipsr 0x2",
                    "write cqcsr 0x0", "write fqcsr 0x0"}));
  EXPECT_TRUE(bench.system.group(3).devices.empty());
  domain.reset();
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

TEST(RiscvIommu, ShutdownOnlySwitchesOff) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  (void)bench.hardware.take();
  iommu.shutdown();
  EXPECT_EQ(bench.hardware.take(), (Events{"write ddtp 0x20000000", "write cqcsr 0x0", "write fqcsr 0x0"}));
}

TEST(RiscvIommu, DestructionDoesNotTouchHardware) {
  Bench bench;
  {
    RiscvIommu iommu(bench.ports, bench.system, small_queues());
    ASSERT_EQ(iommu.probe(), 0);
    (void)bench.hardware.take();
  }
  EXPECT_TRUE(bench.hardware.take(true).empty());
}

TEST(RiscvIommu, ADeviceIdTooLargeIsRefused) {
  ScriptedIommu::Script script;
  script.max_directory_mode = 2;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  int error = 0;
  EXPECT_EQ(iommu.add_device({{128}, 0, {}}, error), nullptr);
  EXPECT_EQ(error, ENODEV);
  EXPECT_TRUE(bench.system.group(0).devices.empty());
}

TEST(RiscvIommu, TheWidestFirstStageIsChosenUpToTheLimit) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  EXPECT_EQ(iommu.widest_address_bits(), 48U);
  RiscvIommuOptions narrow = small_queues();
  narrow.max_address_bits = 39;
  Bench other;
  RiscvIommu second(other.ports, other.system, narrow);
  ASSERT_EQ(second.probe(), 0);
  EXPECT_EQ(second.widest_address_bits(), 39U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
