// SPDX-License-Identifier: Apache-2.0
// Attach, replace, detach: stores into the device context and commands, in the order of riscv_driver.md 5 and 10.1.
#include "drivers/riscv/riscv_device.h"

#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct RiscvDeviceTest : ::testing::Test {
  RiscvDeviceTest() {
    EXPECT_EQ(iommu.probe(), 0);
    device = add({5});
    std::uint64_t context = 0;
    EXPECT_EQ(iommu.directory().locate(5, context), 0);
    bench.hardware.memory().watch(context, 32, "dc");
    (void)bench.hardware.take();
  }
  RiscvDevice* add(std::vector<std::uint32_t> ids) {
    int error = -1;
    RiscvDevice* added = iommu.add_device({std::move(ids), next_group++, {}}, error);
    EXPECT_EQ(error, 0);
    return added;
  }
  std::unique_ptr<domain::Domain> domain_of(RiscvDevice& owner) {
    std::unique_ptr<domain::Domain> domain;
    EXPECT_EQ(owner.alloc_domain(domain), 0);
    return domain;
  }
  static std::string fsc_of(const domain::Domain& domain) {
    char text[40];
    std::snprintf(text, sizeof text, "dc+24 = 0x%llx",
                  static_cast<unsigned long long>(dynamic_cast<const RiscvDomain&>(domain).fsc()));
    return text;
  }

  Bench bench;
  RiscvIommu iommu{bench.ports, bench.system, small_queues()};
  RiscvDevice* device = nullptr;
  std::uint32_t next_group = 0;
};

TEST_F(RiscvDeviceTest, FirstAttachWritesTheContextWithVLast) {
  const auto domain = domain_of(*device);
  ASSERT_EQ(device->attach(*domain), 0);
  EXPECT_EQ(bench.hardware.take(), (Events{fsc_of(*domain), "dc+16 = 0x1000", "dc+0 = 0x1", "INVAL_DDT did=5",
                                           "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  device->block();
}

TEST(RiscvDevice, WithoutAFirstStageThereIsNoDomain) {
  ScriptedIommu::Script script;
  script.capabilities &= ~(hw::capabilities::kSv39Mask | hw::capabilities::kSv48Mask);
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  int error = -1;
  RiscvDevice* device = iommu.add_device({{5}, 0, {}}, error);
  ASSERT_EQ(error, 0);
  std::unique_ptr<domain::Domain> domain;
  EXPECT_EQ(device->alloc_domain(domain), EOPNOTSUPP);
  EXPECT_EQ(domain, nullptr);
  EXPECT_EQ(bench.system.pscids_in_use(), 0U);
  iommu.remove();
}

TEST_F(RiscvDeviceTest, DetachForgetsFirstAndWritesThen) {
  const auto domain = domain_of(*device);
  ASSERT_EQ(device->attach(*domain), 0);
  (void)bench.hardware.take();
  device->block();
  EXPECT_EQ(bench.hardware.take(),
            (Events{"dc+0 = 0x0", "INVAL_DDT did=5", "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw",  //
                    "dc+24 = 0x0", "dc+16 = 0x0", "dc+0 = 0x0", "INVAL_DDT did=5", "IOTINVAL.VMA", "IOFENCE.C pr pw",
                    "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
}

TEST_F(RiscvDeviceTest, AnotherDeviceOfTheDomainSparesTheLastInvalidation) {
  RiscvDevice* other = add({6});
  const auto domain = domain_of(*device);
  ASSERT_EQ(device->attach(*domain), 0);
  ASSERT_EQ(other->attach(*domain), 0);
  (void)bench.hardware.take();
  device->block();
  EXPECT_EQ(bench.hardware.take().back(), "IOFENCE.C pr pw");
  other->block();
  const Events events = bench.hardware.take();
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[events.size() - 2], "IOTINVAL.VMA pscid=1");
}

TEST_F(RiscvDeviceTest, ReplaceGoesOverAnInvalidContext) {
  const auto old_domain = domain_of(*device);
  const auto new_domain = domain_of(*device);
  ASSERT_EQ(device->attach(*old_domain), 0);
  (void)bench.hardware.take();
  ASSERT_EQ(device->attach(*new_domain), 0);
  EXPECT_EQ(bench.hardware.take(),
            (Events{"dc+0 = 0x0", "INVAL_DDT did=5", "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw",  //
                    fsc_of(*new_domain), "dc+16 = 0x2000", "dc+0 = 0x1", "INVAL_DDT did=5", "IOTINVAL.VMA pscid=2",
                    "IOFENCE.C pr pw", "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  ASSERT_EQ(device->attach(*new_domain), 0);
  EXPECT_TRUE(bench.hardware.take().empty());
  device->block();
}

TEST_F(RiscvDeviceTest, BypassIsABareContext) {
  device->bypass();
  EXPECT_EQ(bench.hardware.take(),
            (Events{"dc+24 = 0x0", "dc+16 = 0x0", "dc+0 = 0x1", "INVAL_DDT did=5", "IOTINVAL.VMA", "IOFENCE.C pr pw"}));
  device->block();  // nothing is known of the old translations: all are dropped
  const Events events = bench.hardware.take();
  EXPECT_EQ(Events(events.begin(), events.begin() + 4),
            (Events{"dc+0 = 0x0", "INVAL_DDT did=5", "IOTINVAL.VMA", "IOFENCE.C pr pw"}));
}

TEST_F(RiscvDeviceTest, AllIdsOfADeviceAreForgottenBeforeTheFirstIsWritten) {
  RiscvDevice* twin = add({8, 9});
  const auto domain = domain_of(*twin);
  ASSERT_EQ(twin->attach(*domain), 0);
  (void)bench.hardware.take();
  twin->block();
  const Events events = bench.hardware.take();
  EXPECT_EQ(Events(events.begin(), events.begin() + 5),
            (Events{"INVAL_DDT did=8", "IOTINVAL.VMA pscid=1", "INVAL_DDT did=9", "IOTINVAL.VMA pscid=1",
                    "IOFENCE.C pr pw"}));
}

TEST_F(RiscvDeviceTest, ADomainOfAnotherKindIsRefused) {
  RiscvSystem elsewhere(bench.os);
  RiscvDomain foreign(bench.ports, elsewhere, {}, {48}, elsewhere.pscids().take());
  EXPECT_EQ(device->attach(foreign), EINVAL);
  RiscvDomain wide(bench.ports, bench.system, {}, {57}, bench.system.pscids().take());  // this hardware has no Sv57
  EXPECT_EQ(device->attach(wide), EINVAL);
  EXPECT_TRUE(bench.hardware.take().empty());
}

TEST_F(RiscvDeviceTest, TellsWhatItCanDo) {
  EXPECT_TRUE(device->capable(domain::Capability::kCacheCoherency));
  EXPECT_TRUE(device->capable(domain::Capability::kIsolatedMsi));
  EXPECT_FALSE(device->capable(domain::Capability::kDirtyTracking));
  EXPECT_TRUE(device->capable(domain::Capability::kEnforceCoherency)) << "there is no way past the caches";
  EXPECT_FALSE(device->capable(domain::Capability::kPasid));
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
