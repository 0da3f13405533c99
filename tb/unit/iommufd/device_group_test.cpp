// SPDX-License-Identifier: Apache-2.0
// A group moves as one, and a failure on the way moves it back.
#include "iommufd/device_group.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

using drivers::MockCall;

struct DeviceGroupTest : ::testing::Test {
  DeviceGroupTest() : second(world.iommu.add_device()), third(world.iommu.add_device()) {}
  void SetUp() override {
    a = world.bound(world.device);
    b = world.bound(second);
    ioas = world.ioas();
    other = world.ioas();
  }
  void TearDown() override {
    for (const ObjectId id : {a, b}) {
      EXPECT_EQ(device_detach(*world.context, id), 0);
      EXPECT_EQ(device_unbind(*world.context, id), 0);
    }
    EXPECT_EQ(world.iommu.live_domains(), 0U);
  }
  bool all_on(const drivers::MockDomain* domain) const {
    return world.device.attached() == domain && second.attached() == domain && third.attached() == domain;
  }
  World world;
  drivers::MockDevice& second;
  drivers::MockDevice& third;  // never bound
  ObjectId a = 0, b = 0, ioas = 0, other = 0;
};

TEST_F(DeviceGroupTest, TheFirstAttachProgramsAllAndOthersJoin) {
  ASSERT_NE(world.attached(a, ioas), 0U);
  EXPECT_EQ(world.iommu.calls(MockCall::kAttach), 3U);
  EXPECT_NE(third.attached(), nullptr);
  ObjectId pt = other;
  EXPECT_EQ(device_attach(*world.context, b, pt), EINVAL) << "on another page table";
  ASSERT_NE(world.attached(b, ioas), 0U);
  EXPECT_EQ(world.iommu.calls(MockCall::kAttach), 3U);
  EXPECT_EQ(device_detach(*world.context, a), 0);
  EXPECT_EQ(world.iommu.calls(MockCall::kBlock), 0U);
  EXPECT_EQ(device_detach(*world.context, b), 0);
  EXPECT_TRUE(all_on(nullptr));  // R5.7
}

TEST_F(DeviceGroupTest, ReplaceMovesAll) {
  ASSERT_NE(world.attached(a, ioas), 0U);
  ASSERT_NE(world.attached(b, ioas), 0U);
  const auto* before = third.attached();
  ObjectId pt = other;
  ASSERT_EQ(device_replace(*world.context, b, pt), 0);
  EXPECT_NE(third.attached(), before);
  EXPECT_TRUE(all_on(third.attached()));
  EXPECT_EQ(world.iommu.live_domains(), 1U);  // R5.6
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.destroy(other), EBUSY);
}

TEST_F(DeviceGroupTest, AFailureHalfWayReturnsAll) {
  ASSERT_NE(world.attached(a, ioas), 0U);
  ASSERT_NE(world.attached(b, ioas), 0U);
  const auto* before = third.attached();
  for (std::uint64_t n = 1; n <= 3; ++n) {
    world.iommu.fail_nth(MockCall::kAttach, n, EIO);
    ObjectId pt = other;
    EXPECT_EQ(device_replace(*world.context, a, pt), EIO) << n;
    EXPECT_TRUE(all_on(before)) << n;
    EXPECT_EQ(world.iommu.live_domains(), 1U);
  }
  world.iommu.set_hook({});
  EXPECT_EQ(world.destroy(other), 0);
}

TEST_F(DeviceGroupTest, AFailureOfTheFirstAttachBlocksAll) {
  for (std::uint64_t n = 1; n <= 3; ++n) {
    world.iommu.fail_nth(MockCall::kAttach, n, EIO);
    EXPECT_EQ(world.attached(a, ioas), 0U);
    EXPECT_TRUE(all_on(nullptr)) << n;
  }
  EXPECT_EQ(world.destroy(ioas), 0);
}

TEST_F(DeviceGroupTest, UnbindOfAnAttachedDeviceIsAContradiction) {
  ASSERT_NE(world.attached(a, ioas), 0U);
  const auto objects = world.context;
  DeviceGroup& group = objects->objects().hold<Device>(a)->group();
  EXPECT_DEATH(group.remove(world.device), "");
  EXPECT_EQ(device_unbind(*world.context, a), EBUSY) << "which is why it is refused";
}

}  // namespace
}  // namespace iommusim::iommufd
