// SPDX-License-Identifier: Apache-2.0
// Attach, replace, detach with a PASID: the cases of R5.3, and R5.4, R5.10.
#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct AttachPasidTest : ::testing::Test {
  GuestWorld world;
  ObjectId plain = world.hwpt(world.paging());
  ObjectId wide = world.hwpt(world.paging(uapi::kIommuHwptPasid));
  ObjectId wider = world.hwpt(world.paging(uapi::kIommuHwptPasid));
};

TEST_F(AttachPasidTest, R5_3_EachPasidHasAnAttachmentOfItsOwn) {
  ASSERT_EQ(world.attach(world.dev, wide), 0);
  ASSERT_EQ(world.attach(world.dev, wider, 3), 0);
  EXPECT_EQ(world.attach(world.dev, wide, 5), 0);
  EXPECT_EQ(world.device.at.size(), 3U);
  EXPECT_NE(world.device.at[0], world.device.at[3]);
  EXPECT_EQ(world.device.at[0], world.device.at[5]);
  EXPECT_EQ(device_attached_to(*world.context, world.dev, 3), wider);
  EXPECT_EQ(device_attached_to(*world.context, world.dev, 4), 0U);
  EXPECT_EQ(world.attach(world.dev, wider, 3), EBUSY) << "even to the same one";
  EXPECT_EQ(world.attach(world.dev, wide, 3), EBUSY);
  EXPECT_EQ(world.detach(world.dev), 0);
  EXPECT_EQ(world.device.at.count(0), 0U);
  EXPECT_EQ(world.device.at.count(3), 1U) << "detach without a PASID leaves the others";
  EXPECT_EQ(world.destroy(wider), EBUSY);
  EXPECT_EQ(device_unbind(*world.context, world.dev), EBUSY) << "R5.8";
  EXPECT_EQ(world.detach(world.dev, 3), 0);
  EXPECT_EQ(world.destroy(wider), 0);
}

TEST_F(AttachPasidTest, R5_3_APageTableNotForPasids) {
  EXPECT_EQ(world.attach(world.dev, plain, 3), EINVAL) << "not made for it";
  ASSERT_EQ(world.attach(world.dev, wide, 3), 0);
  EXPECT_EQ(world.attach(world.dev, plain), EINVAL) << "while a PASID is attached";
  ASSERT_EQ(world.attach(world.dev, wide), 0);
  EXPECT_EQ(world.replace(world.dev, plain), EINVAL) << "while a PASID is attached";
  EXPECT_EQ(device_attached_to(*world.context, world.dev), wide);
  EXPECT_EQ(world.detach(world.dev, 3), 0);
  EXPECT_EQ(world.replace(world.dev, plain), 0);
  EXPECT_EQ(world.attach(world.dev, wide, 3), EINVAL) << "the device itself sits on one that is not for PASIDs";
}

TEST_F(AttachPasidTest, R5_3_AnIoasHasNoPageTableForPasids) {
  EXPECT_EQ(world.attach(world.dev, world.space, 3), EINVAL);
  ASSERT_EQ(world.attach(world.dev, wide, 3), 0);
  EXPECT_EQ(world.replace(world.dev, world.space, 3), EINVAL);
  EXPECT_EQ(device_attached_to(*world.context, world.dev, 3), wide);
  EXPECT_EQ(world.attach(world.dev, world.space, 3), EBUSY);
  EXPECT_EQ(world.hardware.live, 3) << "no page table was left";
}

TEST_F(AttachPasidTest, R5_3_ADeviceWithoutPasids) {
  GuestOptions options;
  options.pasid_width = 0;
  domain::Group group{7, {}};
  GuestDevice narrow(world.hardware, world.iommu, group, options);
  const ObjectId dev = world.bound(narrow);
  EXPECT_EQ(world.attach(dev, wide, 1), EINVAL);
  EXPECT_EQ(world.attach(dev, wide), 0) << "fine without";
  EXPECT_EQ(world.detach(dev), 0);
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

TEST_F(AttachPasidTest, R5_10_TheWidthOfTheDevice) {
  EXPECT_EQ(world.attach(world.dev, wide, 15), 0);
  EXPECT_EQ(world.attach(world.dev, wide, 16), EINVAL);
  EXPECT_EQ(world.detach(world.dev, 15), 0);
  EXPECT_EQ(world.detach(world.dev, 15), 0) << "of what is not attached";
  EXPECT_EQ(world.detach(world.dev, 16), 0);
  EXPECT_EQ(device_detach(*world.context, 99, 15), ENOENT);
}

TEST_F(AttachPasidTest, R5_5_ReplaceOfAPasid) {
  EXPECT_EQ(world.replace(world.dev, wide, 3), EINVAL) << "not attached";
  ASSERT_EQ(world.attach(world.dev, wide, 3), 0);
  EXPECT_EQ(world.replace(world.dev, wide, 3), 0) << "the same: nothing to do";
  const domain::Translation* before = world.device.at[3];
  world.device.fail_next = ENOMEM;
  EXPECT_EQ(world.replace(world.dev, wider, 3), ENOMEM);
  EXPECT_EQ(world.device.at[3], before) << "the old one serves on";
  EXPECT_EQ(world.destroy(wider), 0);
  wider = world.hwpt(world.paging(uapi::kIommuHwptPasid));
  EXPECT_EQ(world.replace(world.dev, wider, 3), 0);
  EXPECT_EQ(world.destroy(wide), 0);
  EXPECT_EQ(world.replace(world.dev, plain, 3), EINVAL);
  EXPECT_EQ(world.replace(world.dev, 99, 3), ENOENT);
}

TEST_F(AttachPasidTest, R5_4_PasidsTouchNoReservations) {
  GuestOptions options;
  options.reserved = {{0x100000, 0x1FFFFF, domain::ReservedRegion::Kind::kMsi}};
  GuestWorld other(options);
  const ObjectId hwpt = other.hwpt(other.paging(uapi::kIommuHwptPasid));
  const ObjectId next = other.hwpt(other.paging(uapi::kIommuHwptPasid));
  ASSERT_EQ(other.ioas_map(other.space, kHeap, kPage, 0x100000), 0);
  EXPECT_EQ(other.attach(other.dev, hwpt, 2), 0) << "no EADDRINUSE";
  EXPECT_EQ(other.replace(other.dev, next, 2), 0);
  EXPECT_EQ(other.attach(other.dev, hwpt), EADDRINUSE);
  ASSERT_EQ(other.ioas_unmap(other.space, 0x100000, kPage), 0);
  EXPECT_EQ(other.attach(other.dev, hwpt), 0);
  EXPECT_EQ(other.detach(other.dev, 2), 0);
  EXPECT_EQ(other.ioas_map(other.space, kHeap, kPage, 0x100000), EINVAL) << "the reservation is still there";
}

TEST_F(AttachPasidTest, AFailedAttachLeavesNothing) {
  world.device.fail_next = ENOMEM;
  EXPECT_EQ(world.attach(world.dev, wide, 3), ENOMEM);
  EXPECT_TRUE(world.device.at.empty());
  EXPECT_EQ(world.destroy(wide), 0);
  EXPECT_EQ(world.attach(world.dev, wider, 3), 0) << "as if it had not been tried";
}

TEST_F(AttachPasidTest, R5_2_AGroupSharesEachPasid) {
  GuestDevice sibling(world.hardware, world.iommu, world.group);
  const ObjectId dev = world.bound(sibling);
  ASSERT_EQ(world.attach(world.dev, wide, 3), 0);
  EXPECT_EQ(sibling.at.count(3), 1U) << "hardware cannot tell them apart";
  EXPECT_EQ(world.attach(dev, wider, 3), EINVAL);
  EXPECT_EQ(world.attach(dev, wide, 3), 0);
  EXPECT_EQ(world.replace(dev, wider, 3), 0);
  EXPECT_EQ(device_attached_to(*world.context, world.dev, 3), wider) << "all move";
  EXPECT_EQ(world.detach(world.dev, 3), 0);
  EXPECT_EQ(sibling.at.count(3), 1U);
  EXPECT_EQ(world.detach(dev, 3), 0);
  EXPECT_EQ(world.device.at.count(3) + sibling.at.count(3), 0U);
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
  world.group.devices.pop_back();
}

}  // namespace
}  // namespace iommusim::iommufd
