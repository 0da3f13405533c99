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

TEST_F(MockDeviceTest, ADomainThatTracksDirtyPagesWantsADeviceThatCan) {
  MockDevice& device = iommu.add_device();
  MockDomain domain(iommu, 0, {}, domain::kTracksDirty);
  EXPECT_EQ(device.attach(domain), EINVAL);
}

TEST_F(MockDeviceTest, WritesLeaveAMarkWhileTrackingIsOn) {
  MockDeviceOptions options;
  options.capabilities.insert(domain::Capability::kDirtyTracking);
  MockDevice& device = iommu.add_device(options);
  MockDomain domain(iommu, 0, {}, domain::kTracksDirty);
  ASSERT_EQ(device.attach(domain), 0);
  ASSERT_EQ(domain.map(0x1000, 0x9000, 0x2000, domain::kRead | domain::kWrite), 0);
  struct : domain::DirtySink {
    void dirty(std::uint64_t iova, std::uint64_t) override { last = iova; }
    std::uint64_t last = 0;
  } sink;
  domain::Gather gather;
  std::uint64_t spa = 0;
  EXPECT_TRUE(device.access(0x1000, true, spa));
  EXPECT_EQ(domain.read_dirty(0, 0x10000, true, sink, gather), 0);
  EXPECT_EQ(sink.last, 0U);
  ASSERT_EQ(domain.set_dirty_tracking(true), 0);
  EXPECT_TRUE(device.access(0x1000, false, spa));
  EXPECT_TRUE(device.access(0x2000, true, spa));
  EXPECT_EQ(domain.read_dirty(0, 0x10000, true, sink, gather), 0);
  EXPECT_EQ(sink.last, 0x2000U);
  EXPECT_EQ(gather.start, 0x2000U);
  device.block();
}

struct MockPasidTest : ::testing::Test {
  static MockDeviceOptions options() {
    MockDeviceOptions options;
    options.pasid_width = 20;
    options.capabilities.insert(domain::Capability::kPageRequests);
    return options;
  }
  hal::ThreadOs os;
  MockIommu iommu{os, mock_test_hardware(nullptr, nullptr)};
  MockDevice& device = iommu.add_lone_device(options());
  MockDomain one{iommu, 0}, two{iommu, 0};
};

TEST_F(MockPasidTest, APasidIsItsOwnAttachment) {
  EXPECT_EQ(device.attach_pasid(0, one), EINVAL);
  EXPECT_EQ(device.attach_pasid(1 << 20, one), EINVAL);
  EXPECT_EQ(device.attach_pasid((1 << 20) - 1, one), 0);
  EXPECT_EQ(device.translation((1 << 20) - 1), &one);
  EXPECT_EQ(device.translation(0), nullptr);
  device.block_pasid((1 << 20) - 1);
  device.block_pasid(5);
  EXPECT_EQ(iommu.add_lone_device({}).attach_pasid(1, one), EINVAL);
}

TEST_F(MockPasidTest, EverySecondSetOfThePasidOfErrorsFails) {
  EXPECT_EQ(device.attach_pasid(1024, one), 0);
  EXPECT_EQ(device.attach_pasid(1024, two), ENOMEM);
  EXPECT_EQ(device.translation(1024), &one);
  EXPECT_EQ(device.attach_pasid(1024, two), 0);
  device.block_pasid(1024);
  EXPECT_EQ(device.attach_pasid(1024, one), 0) << "a detach disarms";
  device.block_pasid(1024);
}

TEST_F(MockPasidTest, PageRequestsGoToTheHandlerOrAreRefused) {
  struct : domain::PageFaultHandler {
    void page_fault(const domain::PageFaultGroup& group) override { last = group.index; }
    std::uint32_t last = 0;
  } handler;
  domain::PageFaultGroup group;
  group.index = 7;
  device.request_pages(group);
  EXPECT_EQ(device.answers(domain::PageAnswer::kInvalid), 1U);
  ASSERT_EQ(device.set_page_fault_handler(&handler), 0);
  device.request_pages(group);
  EXPECT_EQ(handler.last, 7U);
  device.answer_page_fault(group, domain::PageAnswer::kSuccess);
  EXPECT_EQ(device.answers(domain::PageAnswer::kSuccess), 1U);
  ASSERT_EQ(device.set_page_fault_handler(nullptr), 0);
  EXPECT_EQ(iommu.add_lone_device({}).set_page_fault_handler(&handler), EOPNOTSUPP);
}

TEST_F(MockPasidTest, ALoneDeviceCanGoAgain) {
  const std::uint64_t before = iommu.live_devices();
  MockDevice& other = iommu.add_lone_device({});
  EXPECT_NE(&other.group(), &device.group());
  iommu.remove_device(other);
  EXPECT_EQ(iommu.live_devices(), before);
}

}  // namespace
}  // namespace iommusim::drivers
