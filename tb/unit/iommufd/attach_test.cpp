// SPDX-License-Identifier: Apache-2.0
// Attach, detach, replace: the cases of R5.3 without pasid, automatic page tables, reserved regions.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

using domain::ReservedRegion;

struct AttachTest : ::testing::Test {
  drivers::MockDevice& add(std::uint32_t group, std::uint32_t format = 0, std::vector<ReservedRegion> reserved = {}) {
    drivers::MockDeviceOptions options;
    options.group = group;
    options.format = format;
    options.reserved = std::move(reserved);
    return world.iommu.add_device(options);
  }
  int attach_error(ObjectId device, ObjectId pt) { return device_attach(*world.context, device, pt); }
  int replace_error(ObjectId device, ObjectId pt) { return device_replace(*world.context, device, pt); }
  void drop(std::initializer_list<ObjectId> devices) {
    for (const ObjectId device : devices) {
      EXPECT_EQ(device_detach(*world.context, device), 0);
      EXPECT_EQ(device_unbind(*world.context, device), 0);
    }
    EXPECT_EQ(world.iommu.live_domains(), 0U);
    EXPECT_EQ(world.pages_held(), 0U);
  }
  World world;
};

TEST_F(AttachTest, AnswersInOrder) {
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  EXPECT_EQ(attach_error(99, 98), ENOENT);
  EXPECT_EQ(attach_error(ioas, ioas), ENOENT) << "not a device";
  EXPECT_EQ(attach_error(device, 98), ENOENT);
  EXPECT_EQ(attach_error(device, device), EINVAL) << "not a page table";
  EXPECT_EQ(replace_error(device, ioas), EINVAL) << "not attached";
  EXPECT_EQ(device_detach(*world.context, device), 0) << "nothing to do";
  EXPECT_EQ(device_detach(*world.context, 99), ENOENT);
  const ObjectId hwpt = world.attached(device, ioas);
  EXPECT_EQ(attach_error(device, ioas), EBUSY);
  EXPECT_EQ(attach_error(device, hwpt), EBUSY) << "even to the same one";
  EXPECT_EQ(replace_error(device, hwpt), 0);
  drop({device});
}

// R4.4
TEST_F(AttachTest, DevicesShareAnAutomaticPageTableThatSuitsThem) {
  const ObjectId ioas = world.ioas();
  const ObjectId a = world.bound(world.device);
  const ObjectId b = world.bound(add(1));
  const ObjectId c = world.bound(add(2, 7));  // wants another format
  const ObjectId shared = world.attached(a, ioas);
  EXPECT_EQ(world.attached(b, ioas), shared);
  const ObjectId own = world.attached(c, ioas);
  EXPECT_NE(own, shared);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  EXPECT_EQ(world.user.locked_pages(), 1U) << "two page tables, one pin";
  EXPECT_EQ(device_detach(*world.context, a), 0);
  EXPECT_EQ(world.destroy(shared), EBUSY) << "the other device still has it";
  EXPECT_EQ(device_detach(*world.context, b), 0);
  EXPECT_EQ(world.destroy(shared), ENOENT);
  EXPECT_EQ(device_unbind(*world.context, a), 0);
  EXPECT_EQ(device_unbind(*world.context, b), 0);
  drop({c});
}

TEST_F(AttachTest, AnUnsuitablePageTableByItsIdIsInvalid) {
  const ObjectId ioas = world.ioas();
  const ObjectId a = world.bound(world.device);
  const ObjectId b = world.bound(add(1, 7));
  const ObjectId hwpt = world.attached(a, ioas);
  EXPECT_EQ(attach_error(b, hwpt), EINVAL);
  EXPECT_EQ(device_unbind(*world.context, b), 0);
  drop({a});
}

TEST_F(AttachTest, AnotherErrorEndsTheSearch) {
  const ObjectId ioas = world.ioas();
  const ObjectId a = world.bound(world.device);
  const ObjectId b = world.bound(add(1));
  ASSERT_NE(world.attached(a, ioas), 0U);
  world.iommu.fail_nth(drivers::MockCall::kAttach, 1, ENOMEM);
  EXPECT_EQ(attach_error(b, ioas), ENOMEM);
  EXPECT_EQ(world.iommu.live_domains(), 1U);
  EXPECT_EQ(device_unbind(*world.context, b), 0);
  drop({a});
}

TEST_F(AttachTest, ReservedRegionsAreKeptFreeWhileAttached) {
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(add(1, 0,
                                          {{0x100000, 0x1FFFFF, ReservedRegion::Kind::kMsi},
                                           {0x200000, 0x2FFFFF, ReservedRegion::Kind::kDirectRelaxable}}));
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x1FF000), 0);
  EXPECT_EQ(attach_error(device, ioas), EADDRINUSE);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
  ASSERT_EQ(world.ioas_unmap(ioas, 0x1FF000, kPage), 0);
  ASSERT_NE(world.attached(device, ioas), 0U);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x1FF000), EINVAL);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x200000), 0) << "relaxable ones are skipped";
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x1FF000), 0);  // R2.4
  drop({device});
}

TEST_F(AttachTest, ReplaceMovesReservationsAndRefusesConflicts) {
  const ObjectId from = world.ioas();
  const ObjectId to = world.ioas();
  const ObjectId device = world.bound(add(1, 0, {{0x100000, 0x1FFFFF, ReservedRegion::Kind::kReserved}}));
  ASSERT_NE(world.attached(device, from), 0U);
  ASSERT_EQ(world.ioas_map(to, kHeap, kPage, 0x100000), 0);
  EXPECT_EQ(replace_error(device, to), EADDRINUSE);
  EXPECT_EQ(world.ioas_map(from, kHeap, kPage, 0x100000), EINVAL) << "the old one is untouched";
  ASSERT_EQ(world.ioas_unmap(to, 0x100000, kPage), 0);
  EXPECT_EQ(replace_error(device, to), 0);
  EXPECT_EQ(world.ioas_map(from, kHeap, kPage, 0x100000), 0);
  EXPECT_EQ(world.ioas_map(to, kHeap, kPage, 0x100000), EINVAL);
  EXPECT_EQ(world.destroy(from), 0);  // R5.6: its automatic page table is gone
  drop({device});
}

TEST_F(AttachTest, AReplacedDeviceSeesTheNewMappingsAtOnce) {
  const ObjectId from = world.ioas();
  const ObjectId to = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_EQ(world.ioas_map(from, kLinear, kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(to, kLinear + kPage, kPage, 0x10000), 0);
  ASSERT_NE(world.attached(device, from), 0U);
  std::uint64_t spa = 0;
  world.iommu.set_hook([&](drivers::MockCall call, std::uint64_t) {
    const bool serves_still = world.device.access(0x10000, true, spa) && spa == kLinearSpa;
    EXPECT_TRUE(call != drivers::MockCall::kAttach || serves_still);
    return 0;
  });
  ASSERT_EQ(replace_error(device, to), 0);
  EXPECT_TRUE(world.device.access(0x10000, true, spa));
  EXPECT_EQ(spa, kLinearSpa + kPage);
  drop({device});
}

// R4.2, R5.9
TEST_F(AttachTest, AFailedFillLeavesTheDeviceBlocked) {
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_EQ(world.ioas_map(ioas, 0xdead0000, kPage, 0x10000), 0);
  EXPECT_EQ(attach_error(device, ioas), EFAULT);
  EXPECT_EQ(world.device.attached(), nullptr);
  EXPECT_EQ(world.ioas(), 3U) << "no id was lost";
  drop({device});
}

}  // namespace
}  // namespace iommusim::iommufd
