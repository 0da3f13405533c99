// SPDX-License-Identifier: Apache-2.0
// VDEVICE_ALLOC: uapi 7.2, R10.2; and the tombstone that the unbind of the device leaves: R1.7, R5.8.
#include "iommufd/vdevice.h"

#include <gtest/gtest.h>

#include <thread>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct VdeviceTest : ::testing::Test {
  GuestWorld world;
  ObjectId parent = world.parent();
  ObjectId viommu = world.viommu(parent);
};

TEST_F(VdeviceTest, AnswersInOrder) {
  GuestIommu stranger;
  domain::Group group{7, {}};
  GuestDevice foreign(stranger, world.iommu, group);
  const ObjectId dev = world.bound(foreign);
  EXPECT_EQ(world.vdevice(99, 98, 666), ENOENT);  // vIOMMU
  EXPECT_EQ(world.vdevice(parent, 98, 666), ENOENT);
  EXPECT_EQ(world.vdevice(viommu, 98, 666), ENOENT);   // device
  EXPECT_EQ(world.vdevice(viommu, dev, 666), EINVAL);  // of another IOMMU
  ObjectId id = 0;
  EXPECT_EQ(world.vdevice(viommu, world.dev, 0x1234567890, &id), 0);
  EXPECT_EQ(GuestViommu::newest->devices.at(0x1234567890), &world.device);
  EXPECT_EQ(world.vdevice(viommu, world.dev, 666), EEXIST);                  // the device has one
  EXPECT_EQ(world.vdevice(viommu, world.second_dev, 0x1234567890), EEXIST);  // the number is used
  EXPECT_EQ(world.vdevice(viommu, world.second_dev, 666), EIO);              // the driver
  EXPECT_EQ(GuestViommu::newest->devices.size(), 1U);
  EXPECT_EQ(world.vdevice(viommu, world.second_dev, 5), 0) << "no trace of the failures";
  EXPECT_EQ(world.destroy(viommu), EBUSY);
  EXPECT_EQ(world.destroy(id), 0);
  EXPECT_EQ(GuestViommu::newest->devices.size(), 1U);
  EXPECT_EQ(world.vdevice(viommu, world.dev, 0x1234567890), 0) << "both are free again";
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

TEST_F(VdeviceTest, AFailedReplyTakesItBack) {
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  EXPECT_EQ(world.vdevice(viommu, world.dev, 5), EFAULT);
  world.process.set_hook({});
  EXPECT_TRUE(GuestViommu::newest->devices.empty());
  EXPECT_EQ(world.vdevice(viommu, world.dev, 5), 0);
}

TEST_F(VdeviceTest, R1_7_UnbindLeavesATombstone) {
  ObjectId id = 0;
  ASSERT_EQ(world.vdevice(viommu, world.second_dev, 5, &id), 0);
  EXPECT_EQ(device_unbind(*world.context, world.second_dev), 0);
  world.second_dev = 0;
  EXPECT_TRUE(GuestViommu::newest->devices.empty());
  EXPECT_EQ(world.destroy(id), ENOENT);
  EXPECT_EQ(world.ioas(), 2U) << "the device's number is free";
  EXPECT_EQ(world.ioas(), id + 1) << "the vDEVICE's is not";
  EXPECT_EQ(world.destroy(viommu), 0) << "nothing refers to it";
}

TEST_F(VdeviceTest, AProgramThatDestroysItFirstFreesTheNumber) {
  ObjectId id = 0;
  ASSERT_EQ(world.vdevice(viommu, world.second_dev, 5, &id), 0);
  EXPECT_EQ(world.destroy(id), 0);
  EXPECT_EQ(device_unbind(*world.context, world.second_dev), 0);
  world.second_dev = 0;
  EXPECT_EQ(world.ioas(), 2U);
  EXPECT_EQ(world.ioas(), id);
}

TEST_F(VdeviceTest, ADeviceThatIsBeingUnboundGetsNone) {
  const auto hold = world.context->objects().hold<Device>(world.second_dev);
  hold->retire_vdevice();
  EXPECT_EQ(world.vdevice(viommu, world.second_dev, 5), ENOENT);
}

// Whoever is first, the other one waits for the end of it; each round has one vDEVICE and two that want it gone.
TEST_F(VdeviceTest, UnbindAndDestroyMayMeet) {
  for (const DestroyPolicy policy : {DestroyPolicy::kWait, DestroyPolicy::kBusy}) {
    ContextOptions options;
    options.destroy = policy;
    for (int round = 0; round < 50; ++round) {
      GuestWorld here({}, options);
      const ObjectId lent = here.viommu(here.parent());
      ObjectId id = 0;
      ASSERT_EQ(here.vdevice(lent, here.second_dev, 5, &id), 0);
      int destroyed = 0;
      std::thread program([&] { destroyed = here.destroy(id); });
      EXPECT_EQ(device_unbind(*here.context, here.second_dev), 0);
      program.join();
      here.second_dev = 0;
      EXPECT_TRUE(destroyed == 0 || destroyed == ENOENT || destroyed == EBUSY) << destroyed;
      EXPECT_EQ(here.destroy(id), ENOENT);
      EXPECT_EQ(here.destroy(lent), 0);
    }
  }
}

}  // namespace
}  // namespace iommusim::iommufd
