// SPDX-License-Identifier: Apache-2.0
// Attaching by PASID through the character device (uapi 11.3, 11.4; R5.3).
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

drivers::MockOptions programmable() {
  drivers::MockOptions options;
  options.programmable = true;
  return options;
}

struct PasidTest : ::testing::Test {
  PasidTest() {
    drivers::MockDeviceOptions hardware;
    hardware.group = 50;
    hardware.pasid_width = 20;
    hardware.capabilities.insert(domain::Capability::kPasid);
    mock = &world.iommu.add_device(hardware);
    world.registry.add("0000:00:0a.0", function, *mock);
    fd = world.bound(3);
    id = 1;
  }
  ~PasidTest() override { world.close(fd); }
  ObjectId hwpt(std::uint32_t flags) {
    uapi::IommuHwptAlloc argument{};
    argument.flags = flags;
    argument.dev_id = id;
    argument.pt_id = world.ioas();
    EXPECT_EQ(world.call(uapi::kIommuHwptAlloc, argument), 0);
    return argument.out_hwpt_id;
  }
  std::int64_t attach(ObjectId pt, std::uint32_t pasid) {
    uapi::VfioDeviceAttachIommufdPt argument{16, 1, pt, pasid};
    return world.ioctl(fd, uapi::kVfioDeviceAttachIommufdPt, argument);
  }
  std::int64_t detach(std::uint32_t pasid) {
    uapi::VfioDeviceDetachIommufdPt argument{12, 1, pasid};
    return world.ioctl(fd, uapi::kVfioDeviceDetachIommufdPt, argument);
  }
  ScriptedFunction function;
  VfioWorld world{{}, {}, programmable()};
  drivers::MockDevice* mock = nullptr;
  int fd = -1;
  ObjectId id = 0;
};

TEST_F(PasidTest, AttachReplaceDetach) {
  const ObjectId a = hwpt(8), b = hwpt(8);
  EXPECT_EQ(attach(a, 7), 0);
  domain::Translation* const first = mock->translation(7);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(mock->translation(0), nullptr) << "requests without one stay blocked";
  EXPECT_EQ(attach(b, 7), 0) << "attached: a replace";
  EXPECT_NE(mock->translation(7), first);
  EXPECT_EQ(world.destroy(a), 0);
  EXPECT_EQ(world.destroy(b), EBUSY);
  EXPECT_EQ(detach(7), 0);
  EXPECT_EQ(detach(7), 0) << "nothing there";
  EXPECT_EQ(mock->translation(7), nullptr);
  EXPECT_EQ(world.destroy(b), 0);
}

TEST_F(PasidTest, WhatItCannotBeAttachedTo) {
  const ObjectId plain = hwpt(0), wide = hwpt(8);
  EXPECT_EQ(attach(99, 7), -ENOENT);
  EXPECT_EQ(attach(plain, 7), -EINVAL) << "not made for PASIDs";
  EXPECT_EQ(attach(world.ioas(), 7), -EINVAL) << "an address space";
  ASSERT_EQ(attach(wide, 7), 0);
  ObjectId pt = plain;
  EXPECT_EQ(world.attach(fd, pt), -EINVAL) << "without a PASID, while one is attached";
}

TEST_F(PasidTest, TheLastCloseDetachesAll) {
  const ObjectId wide = hwpt(8);
  ObjectId pt = wide;
  ASSERT_EQ(world.attach(fd, pt), 0);
  ASSERT_EQ(attach(wide, 7), 0);
  ASSERT_EQ(attach(wide, 9), 0);
  world.close(fd);
  EXPECT_TRUE(mock->pasids().empty());
  EXPECT_EQ(mock->translation(0), nullptr);
  EXPECT_EQ(world.destroy(wide), 0);
}

TEST(PasidOfPlainDevice, IsInvalid) {
  VfioWorld world;
  const int fd = world.bound(0);
  uapi::VfioDeviceAttachIommufdPt argument{16, 1, world.ioas(), 7};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceAttachIommufdPt, argument), -EINVAL);
}

}  // namespace
}  // namespace iommusim::vfio
