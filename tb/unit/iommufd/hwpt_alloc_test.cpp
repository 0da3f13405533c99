// SPDX-License-Identifier: Apache-2.0
// HWPT_ALLOC of a plain page table: the rows of uapi 4.1 that apply, and how a manual page table lives.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

struct HwptAllocTest : ::testing::Test {
  void SetUp() override {
    ioas = world.ioas();
    device = world.bound(world.device);
  }
  void TearDown() override {
    EXPECT_EQ(device_detach(*world.context, device), 0);
    EXPECT_EQ(device_unbind(*world.context, device), 0);
  }
  int alloc(uapi::IommuHwptAlloc argument) { return world.call(uapi::kIommuHwptAlloc, argument); }
  ObjectId alloc() {
    uapi::IommuHwptAlloc argument{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
    return world.call(uapi::kIommuHwptAlloc, argument) == 0 ? argument.out_hwpt_id : 0;
  }
  World world;
  ObjectId ioas = 0;
  ObjectId device = 0;
};

TEST_F(HwptAllocTest, AnswersInOrder) {
  uapi::IommuHwptAlloc bad{0, 64, 99, 99, 0, 1, 0, 4, 0, 0, 1};
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // 1
  bad.reserved = 0;
  EXPECT_EQ(alloc(bad), EINVAL);  // 2
  bad.data_type = 1;
  bad.data_len = 0;
  EXPECT_EQ(alloc(bad), EINVAL);
  bad.data_len = 4;
  EXPECT_EQ(alloc(bad), ENOENT);  // 3
  bad.dev_id = ioas;
  EXPECT_EQ(alloc(bad), ENOENT) << "of another type";
  bad.dev_id = device;
  EXPECT_EQ(alloc(bad), EINVAL);  // 4
  bad.pt_id = device;
  EXPECT_EQ(alloc(bad), EINVAL);
  bad.pt_id = ioas;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // 5, 6
  bad.flags = 0;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);
  bad.data_type = 0;
  bad.data_len = 0;
  world.iommu.fail_nth(drivers::MockCall::kAllocDomain, 1, ENOMEM);
  EXPECT_EQ(alloc(bad), ENOMEM);  // 9
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 0x800, 0x10000), 0);
  EXPECT_EQ(alloc(bad), EADDRINUSE);  // 11
  ASSERT_EQ(world.ioas_unmap(ioas, 0x10000, 0x800), 0);
  ASSERT_EQ(world.ioas_map(ioas, 0xdead0000, kPage, 0x10000), 0);
  EXPECT_EQ(alloc(bad), EFAULT);  // 12
  ASSERT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), 0);
  EXPECT_EQ(alloc(bad), 0) << "reserved2 is not checked";
  bad.pt_id = 3;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // 13
}

// R4.1, R4.5
TEST_F(HwptAllocTest, AManualOneIsFilledThoughNothingIsAttached) {
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 2 * kPage, 0x10000), 0);
  const ObjectId hwpt = alloc();
  EXPECT_EQ(world.user.locked_pages(), 2U);
  EXPECT_EQ(world.destroy(ioas), EBUSY);
  EXPECT_EQ(world.destroy(hwpt), 0);
  EXPECT_EQ(world.pages_held(), 0U);
}

// R4.4, R4.5
TEST_F(HwptAllocTest, AManualOneIsNeverChosenForAnIoasAndOutlivesItsDevices) {
  const ObjectId manual = alloc();
  const ObjectId automatic = world.attached(device, ioas);
  EXPECT_NE(automatic, manual);
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(world.attached(device, manual), manual);
  EXPECT_EQ(world.destroy(manual), EBUSY);
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(world.destroy(manual), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
