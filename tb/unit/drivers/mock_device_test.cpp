// SPDX-License-Identifier: Apache-2.0
// MockDevice: whom it can be attached to, and what its DMA reaches.
#include "drivers/mock_device.h"

#include <cerrno>

#include "hal/thread_os.h"

namespace iommusim::drivers {
namespace {

struct MockDeviceTest : ::testing::Test {
  hal::ThreadOs os;
  MockIommu iommu{os};
};

TEST_F(MockDeviceTest, DmaFollowsTheAttachment) {
  MockDevice& device = iommu.add_device();
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device.alloc_domain(domain), 0);
  ASSERT_EQ(domain->map(0x1000, 0x9000, 0x1000, domain::kRead), 0);
  std::uint64_t spa = 0;
  EXPECT_FALSE(device.access(0x1000, false, spa));
  ASSERT_EQ(device.attach(*domain), 0);
  EXPECT_TRUE(device.access(0x1010, false, spa));
  EXPECT_EQ(spa, 0x9010U);
  EXPECT_FALSE(device.access(0x1010, true, spa));
  device.block();
  EXPECT_FALSE(device.access(0x1010, false, spa));
}

TEST_F(MockDeviceTest, DmaStillReachesAStaleLeaf) {
  MockDevice& device = iommu.add_device();
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device.alloc_domain(domain), 0);
  ASSERT_EQ(device.attach(*domain), 0);
  ASSERT_EQ(domain->map(0x1000, 0x9000, 0x1000, domain::kRead), 0);
  domain::Gather gather;
  (void)domain->unmap(0x1000, 0x1000, gather);
  std::uint64_t spa = 0;
  EXPECT_TRUE(device.access(0x1000, false, spa));
  domain->flush_all();
  EXPECT_FALSE(device.access(0x1000, false, spa));
  device.block();
}

TEST_F(MockDeviceTest, AnotherFormatOrIommuIsRefused) {
  MockIommu other(os);
  MockDeviceOptions second;
  second.format = 1;
  MockDevice& device = iommu.add_device();
  MockDevice& formatted = iommu.add_device(second);
  MockDevice& foreign = other.add_device();
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device.alloc_domain(domain), 0);
  EXPECT_EQ(formatted.attach(*domain), EINVAL);
  EXPECT_EQ(foreign.attach(*domain), EINVAL);
  EXPECT_EQ(formatted.attached(), nullptr);
}

}  // namespace
}  // namespace iommusim::drivers
