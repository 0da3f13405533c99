// SPDX-License-Identifier: Apache-2.0
// Mock devices: ids, flags, errors of attaching, replacing, destroying; the end of a context that still has some.
#include <gtest/gtest.h>

#include "test_world.h"

namespace iommusim::selftest {
namespace {

struct DeviceOpsTest : ::testing::Test {
  int replace(ObjectId stdev, ObjectId& page_table) {
    Command command = TestWorld::make(uapi::kTestMockDomainReplace, stdev);
    command.mock_domain_replace.pt_id = page_table;
    const int error = world.test(command);
    page_table = command.mock_domain_replace.pt_id;
    return error;
  }
  TestWorld world;
  ObjectId ioas = world.ioas();
};

TEST_F(DeviceOpsTest, IdsComeInOrder) {
  const TestWorld::Mock one = world.mock(ioas);
  EXPECT_EQ(one.stdev, ioas + 1);
  EXPECT_EQ(one.idev, ioas + 2);
  EXPECT_EQ(one.hwpt, ioas + 3);
  const TestWorld::Mock two = world.mock(ioas);
  EXPECT_EQ(two.hwpt, one.hwpt) << "the automatic page table is shared";
  EXPECT_EQ(world.destroy(one.idev), EBUSY);
  EXPECT_EQ(world.destroy(one.hwpt), EBUSY);
  EXPECT_EQ(world.destroy(ioas), EBUSY);
  EXPECT_EQ(world.destroy(one.stdev), 0);
  EXPECT_EQ(world.destroy(one.idev), ENOENT);
  EXPECT_EQ(world.destroy(two.stdev), 0);
  EXPECT_EQ(world.destroy(two.hwpt), ENOENT) << "it went with its last device";
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.command.iommu().live_devices(), 0U);
}

TEST_F(DeviceOpsTest, Flags) {
  TestWorld::Mock mock{};
  for (const std::uint32_t flags : {2U, 8U, 0x80000000U}) EXPECT_EQ(world.mock_domain(99, mock, flags), EINVAL);
  EXPECT_EQ(world.mock_domain(99, mock, 5), ENOENT);
  EXPECT_EQ(world.mock_domain(ioas, mock, 5), 0);
  Command command = TestWorld::make(uapi::kTestMockDomain, ioas);
  command.mock_domain.dev_flags = 2;
  EXPECT_EQ(world.test(command), 0) << "the older operation has no flags";
}

TEST_F(DeviceOpsTest, ErrorsOfAttaching) {
  TestWorld::Mock mock{}, other{};
  EXPECT_EQ(world.mock_domain(0, mock), ENOENT);
  ASSERT_EQ(world.mock_domain(ioas, mock), 0);
  EXPECT_EQ(world.mock_domain(mock.idev, other), EINVAL) << "neither an address space nor a page table";
  EXPECT_EQ(world.mock_domain(mock.hwpt, other), 0);
  EXPECT_EQ(other.hwpt, mock.hwpt);
  const ObjectId outside = world.ioas();
  ASSERT_EQ(world.ioas_map(outside, kHeap, kPage, 0x1000), 0);
  EXPECT_EQ(world.mock_domain(outside, other), EADDRINUSE) << "below the aperture";
  const ObjectId unaligned = world.ioas();
  ASSERT_EQ(world.ioas_map(unaligned, kHeap + 1, 1, kMockStart), 0);
  EXPECT_EQ(world.mock_domain(unaligned, other), EADDRINUSE);
  const ObjectId nowhere = world.ioas();
  ASSERT_EQ(world.ioas_map(nowhere, 0x123000, kPage, kMockStart), 0);
  EXPECT_EQ(world.mock_domain(nowhere, other), EFAULT);
  EXPECT_EQ(world.command.iommu().live_devices(), 2U);
}

TEST_F(DeviceOpsTest, TheApertureBecomesReserved) {
  (void)world.mock(ioas);
  const std::uint64_t array = world.slot();
  uapi::IommuIoasIovaRanges ranges{0, ioas, 4, 0, array, 0};
  ASSERT_EQ(world.call(uapi::kIommuIoasIovaRanges, ranges), 0);
  uapi::IommuIovaRange only{};
  world.user.copy_from_user(&only, array, sizeof only);
  EXPECT_EQ(ranges.num_iovas, 1U);
  EXPECT_EQ(only.start, 0x01000000U);
  EXPECT_EQ(only.last, 0x7FFFFFFFU);
  EXPECT_EQ(ranges.out_iova_alignment, 2048U);
}

TEST_F(DeviceOpsTest, Replace) {
  const TestWorld::Mock mock = world.mock(ioas);
  const ObjectId other = world.ioas();
  ObjectId page_table = other;
  EXPECT_EQ(replace(99, page_table), ENOENT);
  EXPECT_EQ(replace(mock.idev, page_table), ENOENT) << "wants the test object";
  page_table = 99;
  EXPECT_EQ(replace(mock.stdev, page_table), ENOENT);
  page_table = mock.stdev;
  EXPECT_EQ(replace(mock.stdev, page_table), EINVAL);
  page_table = other;
  EXPECT_EQ(replace(mock.stdev, page_table), 0);
  EXPECT_NE(page_table, other) << "it is the page table in use";
  EXPECT_EQ(world.destroy(mock.hwpt), ENOENT) << "unused, it went";
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(replace(mock.stdev, page_table), 0) << "the same again";
}

TEST_F(DeviceOpsTest, AContextMayEndWithMockDevices) {
  (void)world.mock(ioas);
  (void)world.mock(world.ioas());
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, kMockStart), 0);
  world.context.reset();
  EXPECT_EQ(world.command.iommu().live_devices(), 0U);
  EXPECT_EQ(world.command.iommu().live_domains(), 0U);
  EXPECT_EQ(world.pages_held(), 0U);
}

}  // namespace
}  // namespace iommusim::selftest
