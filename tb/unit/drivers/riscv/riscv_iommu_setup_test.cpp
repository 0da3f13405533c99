// SPDX-License-Identifier: Apache-2.0
// Byte order and interrupts: messages or wires, vectors that hardware grants, dispatch of the causes.
#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

ScriptedIommu::Script with_igs(std::uint64_t igs) {
  ScriptedIommu::Script script;
  script.capabilities &= ~hw::capabilities::kIgsMask;
  script.capabilities |= igs << hw::capabilities::kIgsShift;
  return script;
}

TEST(RiscvIommuSetup, BigEndianIsClearedWhereItCanBe) {
  ScriptedIommu::Script script;
  script.fctl = 1;
  Bench stuck(script);
  RiscvIommu refused(stuck.ports, stuck.system);
  EXPECT_EQ(refused.probe(), ENODEV);
  script.capabilities |= hw::capabilities::kEndMask;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system);
  EXPECT_EQ(iommu.probe(), 0);
  EXPECT_EQ(bench.hardware.take().front(), "write fctl 0x0");
}

TEST(RiscvIommuSetup, MessagesAreChosenWherePossible) {
  Bench bench(with_igs(hw::igs::kBoth), 2, true);
  RiscvIommu iommu(bench.ports, bench.system);
  ASSERT_EQ(iommu.probe(), 0);
  const Events events = bench.hardware.take();
  EXPECT_EQ(Events(events.begin(), events.begin() + 7),
            (Events{"write msi_cfg_tbl+0x0 0x28000000", "write msi_cfg_tbl+0x8 0x20", "write msi_cfg_tbl+0xc 0x0",
                    "write msi_cfg_tbl+0x10 0x28000000", "write msi_cfg_tbl+0x18 0x21", "write msi_cfg_tbl+0x1c 0x0",
                    "write icvec 0x110"}));
  EXPECT_EQ(bench.hardware.peek(hw::kFctlOffset) & hw::fctl::kWsiMask, 0U);
}

TEST(RiscvIommuSetup, WiresWhenPreferredOrTheOnlyWay) {
  RiscvIommuOptions wires;
  wires.prefer_messages = false;
  Bench preferred(with_igs(hw::igs::kBoth), 4, true);
  RiscvIommu first(preferred.ports, preferred.system, wires);
  ASSERT_EQ(first.probe(), 0);
  EXPECT_EQ(preferred.hardware.peek(hw::kFctlOffset), hw::fctl::kWsiMask);
  Bench only(with_igs(hw::igs::kWsi), 4, true);
  RiscvIommu second(only.ports, only.system);
  ASSERT_EQ(second.probe(), 0);
  EXPECT_EQ(only.hardware.peek(hw::kFctlOffset), hw::fctl::kWsiMask);
}

TEST(RiscvIommuSetup, HardwareWithMessagesNeedsAPlatformWithMessages) {
  Bench bench(with_igs(hw::igs::kMsi), 4, false);
  RiscvIommu iommu(bench.ports, bench.system);
  EXPECT_EQ(iommu.probe(), ENODEV);
  Bench none(with_igs(hw::igs::kBoth), 0, false);
  RiscvIommu without(none.ports, none.system);
  EXPECT_EQ(without.probe(), ENODEV);
}

TEST(RiscvIommuSetup, TheVectorsThatHardwareGrantsAreUsed) {
  ScriptedIommu::Script script;
  script.icvec_mask = 0;  // a single vector
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  EXPECT_FALSE(bench.interrupts.connected(1));
  bench.hardware.fault(13, 1, 0x1000);
  bench.hardware.set_bits(hw::kIpsrOffset, static_cast<std::uint32_t>(hw::ipsr::kCipMask));
  bench.interrupts.fire(0);
  EXPECT_EQ(iommu.faults().records(), 1U);
  EXPECT_EQ(bench.hardware.peek(hw::kIpsrOffset), 0U);
}

TEST(RiscvIommuSetup, EachVectorServesItsOwnCause) {
  Bench bench;
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  bench.hardware.fault(13, 1, 0x1000);
  bench.interrupts.fire(0);
  EXPECT_EQ(iommu.faults().records(), 0U);
  bench.interrupts.fire(1);
  EXPECT_EQ(iommu.faults().records(), 1U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
