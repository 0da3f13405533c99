// SPDX-License-Identifier: Apache-2.0
// HWPT_ALLOC beyond a plain page table: uapi 4.1 with flags and data, nested page tables over a parent and in a vIOMMU,
// fault queues; R4.6, R7.1, R8.1, R8.2.
#include "iommufd/hwpt_nested.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

using domain::Capability;

struct HwptNestedTest : ::testing::Test {
  GuestWorld world;
  GuestDomain& paging_domain(ObjectId id) {
    return dynamic_cast<GuestDomain&>(world.context->objects().hold<HwptPaging>(id)->domain());
  }
};

// Rows 5 to 9 and 18: over an IOAS.
TEST_F(HwptNestedTest, OverAnIoasAnswersInOrder) {
  uapi::IommuHwptAlloc bad = world.paging(64 | uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptNestParent, 99);
  bad.data_type = 5;
  bad.data_len = 4;
  bad.data_uptr = world.put({1});
  World plain;
  const ObjectId plain_dev = plain.bound(plain.device);
  const ObjectId plain_ioas = plain.ioas();
  uapi::IommuHwptAlloc on_plain{0, uapi::kIommuHwptFaultIdValid, plain_dev, plain_ioas, 0, 0, 0, 0, 0, 99, 0};
  EXPECT_EQ(plain.call(uapi::kIommuHwptAlloc, on_plain), EOPNOTSUPP) << "row 5: even this flag is too much";
  EXPECT_EQ(device_unbind(*plain.context, plain_dev), 0);
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 6
  bad.flags &= ~64U;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 8
  bad.flags = uapi::kIommuHwptFaultIdValid;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 9: type of data
  bad.data_type = kGuestType;
  ASSERT_EQ(world.ioas_map(world.space, kHeap, kPage, 0xFFFFFFFFFFFF0000), 0);
  EXPECT_EQ(world.hwpt_alloc(bad), EADDRINUSE);  // 11
  ASSERT_EQ(world.ioas_unmap(world.space, 0xFFFFFFFFFFFF0000, kPage), 0);
  EXPECT_EQ(world.hwpt_alloc(bad), ENOENT);  // 18
  bad.fault_id = world.space;
  EXPECT_EQ(world.hwpt_alloc(bad), ENOENT) << "not a fault queue";
  EXPECT_EQ(world.hardware.live, 0) << "it was made, and is undone";
  EXPECT_EQ(world.ioas(), 4U);
}

TEST_F(HwptNestedTest, DirtyTrackingNeedsTheCapability) {
  GuestOptions options;
  options.capabilities.erase(Capability::kDirtyTracking);
  GuestWorld other(options);
  EXPECT_EQ(other.hwpt_alloc(other.paging(uapi::kIommuHwptDirtyTracking)), EOPNOTSUPP);  // 7
  EXPECT_EQ(world.hwpt_alloc(world.paging(uapi::kIommuHwptDirtyTracking)), 0);
}

// R7.1
TEST_F(HwptNestedTest, ADirtyTrackingPageTableRefusesADeviceWithout) {
  domain::Group group{7, {}};
  GuestOptions options;
  options.capabilities.erase(Capability::kDirtyTracking);
  GuestDevice without(world.hardware, world.iommu, group, options);
  const ObjectId dev = world.bound(without);
  const ObjectId hwpt = world.hwpt(world.paging(uapi::kIommuHwptDirtyTracking));
  EXPECT_EQ(world.attach(dev, hwpt), EINVAL);
  EXPECT_EQ(world.attach(world.dev, hwpt), 0);
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

TEST_F(HwptNestedTest, TheDriverHearsItsFlagsOnly) {
  int fd = -1;
  const ObjectId fault = world.fault_queue(fd);
  const ObjectId hwpt = world.hwpt(world.paging(uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptPasid, fault));
  EXPECT_EQ(paging_domain(hwpt).flags, unsigned{domain::kForPasids});
  EXPECT_EQ(paging_domain(world.parent()).flags, unsigned{domain::kNestParent});
}

// R4.6
TEST_F(HwptNestedTest, CoherencyIsEnforcedForWhoDemandsItAndThenForAll) {
  GuestOptions demanding;
  demanding.capabilities.insert(Capability::kEnforceCoherency);
  domain::Group group{7, {}};
  GuestDevice strict(world.hardware, world.iommu, group, demanding);
  const ObjectId dev = world.bound(strict);
  uapi::IommuHwptAlloc argument = world.paging();
  const ObjectId relaxed = world.hwpt(argument);
  argument.dev_id = dev;
  const ObjectId coherent = world.hwpt(argument);
  EXPECT_FALSE(paging_domain(relaxed).coherent);
  EXPECT_TRUE(paging_domain(coherent).coherent);
  EXPECT_EQ(world.attach(world.dev, coherent), EINVAL);
  EXPECT_EQ(world.attach(world.dev, relaxed), 0);
  EXPECT_EQ(world.replace(world.dev, coherent), EINVAL);
  EXPECT_EQ(world.attach(dev, relaxed), 0) << "one that is not coherent takes all";
  EXPECT_EQ(world.replace(dev, coherent), 0);
  EXPECT_EQ(world.detach(dev), 0);
  GuestDomain::can_be_coherent = false;
  EXPECT_EQ(world.hwpt_alloc(argument), EINVAL) << "the driver promised";
  GuestDomain::can_be_coherent = true;
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

// Row 10, before row 11.
TEST_F(HwptNestedTest, SmallestPagesAreThoseOfTheMachine) {
  drivers::MockOptions tables;
  tables.page_sizes = 1 << 16;
  GuestWorld other({}, {}, tables);
  ASSERT_EQ(other.ioas_map(other.space, kHeap, 0x800, 0x10000), 0);
  EXPECT_EQ(other.hwpt_alloc(other.paging()), EINVAL);
  EXPECT_EQ(other.attach(other.dev, other.space), EINVAL);
}

// Rows 13 to 15 and 18.
TEST_F(HwptNestedTest, OverAParentAnswersInOrder) {
  const ObjectId plain = world.hwpt(world.paging());
  uapi::IommuHwptAlloc bad = world.nested(plain, uapi::kIommuHwptDirtyTracking);
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 13: flag
  bad.flags = uapi::kIommuHwptNestParent;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);
  bad.flags = uapi::kIommuHwptFaultIdValid;
  bad.fault_id = 99;
  bad.data_type = 0;
  bad.data_len = 0;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 13: no data
  bad.data_type = 5;
  bad.data_len = 8;
  EXPECT_EQ(world.hwpt_alloc(bad), EINVAL);  // 14: no nest parent
  bad.pt_id = world.parent();
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 15: type
  bad.data_type = kGuestType;
  EXPECT_EQ(world.hwpt_alloc(bad), EINVAL) << "row 15: longer than the structure, no zero tail";
  bad.data_len = 2;
  EXPECT_EQ(world.hwpt_alloc(bad), EINVAL);
  bad.data_len = 4;
  bad.data_uptr = 0x123000;
  EXPECT_EQ(world.hwpt_alloc(bad), EFAULT);
  bad.data_uptr = world.put({1});
  EXPECT_EQ(world.hwpt_alloc(bad), ENOENT);  // 18
  EXPECT_EQ(world.hardware.live, 2);
  GuestOptions options;
  options.nests = false;
  GuestWorld other(options);
  EXPECT_EQ(other.hwpt_alloc(other.nested(other.hwpt(other.paging()))), EOPNOTSUPP)
      << "row 13: a driver without nesting";
}

TEST_F(HwptNestedTest, AnAutomaticPageTableAndAnotherDriversAreNoParents) {
  ASSERT_EQ(world.attach(world.dev, world.space), 0);
  const ObjectId automatic = device_attached_to(*world.context, world.dev);
  EXPECT_EQ(world.hwpt_alloc(world.nested(automatic)), EINVAL);  // 14
  GuestIommu stranger;
  domain::Group group{7, {}};
  GuestDevice foreign(stranger, world.iommu, group);
  const ObjectId dev = world.bound(foreign);
  uapi::IommuHwptAlloc argument = world.nested(world.parent());
  argument.dev_id = dev;
  EXPECT_EQ(world.hwpt_alloc(argument), EINVAL);  // 14
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

// R8.1: devices attach to the child, which holds the parent, and whose data the driver has.
TEST_F(HwptNestedTest, ADeviceAttachesToTheChild) {
  const ObjectId parent = world.parent();
  const ObjectId child = world.hwpt(world.nested(parent, uapi::kIommuHwptPasid));
  auto& domain = dynamic_cast<GuestNested&>(world.context->objects().hold<HwptNested>(child)->domain());
  EXPECT_EQ(domain.word, 0xABCDU);
  EXPECT_EQ(domain.flags, unsigned{domain::kForPasids});
  EXPECT_EQ(world.destroy(parent), EBUSY);
  ASSERT_EQ(world.attach(world.dev, child), 0);
  EXPECT_EQ(world.device.at.at(0), &domain);
  EXPECT_EQ(world.destroy(child), EBUSY);
  EXPECT_EQ(world.replace(world.dev, parent), 0) << "from the child to the parent";
  EXPECT_EQ(world.destroy(child), 0);
  EXPECT_EQ(world.replace(world.dev, child), ENOENT);
  EXPECT_EQ(world.detach(world.dev), 0);
  EXPECT_EQ(world.destroy(parent), 0);
  EXPECT_EQ(world.destroy(world.space), 0);
  EXPECT_EQ(world.hardware.live, 0);
}

// R8.2
TEST_F(HwptNestedTest, ReservedRegionsAreCheckedAgainstTheParentsIoas) {
  GuestOptions options;
  options.reserved = {{0x100000, 0x1FFFFF, domain::ReservedRegion::Kind::kMsi}};
  GuestWorld other(options);
  const ObjectId child = other.hwpt(other.nested(other.parent()));
  ASSERT_EQ(other.ioas_map(other.space, kHeap, kPage, 0x100000), 0);
  EXPECT_EQ(other.attach(other.dev, child), EADDRINUSE);
  ASSERT_EQ(other.ioas_unmap(other.space, 0x100000, kPage), 0);
  EXPECT_EQ(other.attach(other.dev, child), 0);
  EXPECT_EQ(other.ioas_map(other.space, kHeap, kPage, 0x100000), EINVAL);
}

// Rows 16 to 18: in a vIOMMU.
TEST_F(HwptNestedTest, InAVirtualIommuAnswersInOrder) {
  const ObjectId parent = world.parent();
  const ObjectId viommu = world.viommu(parent);
  GuestIommu stranger;
  domain::Group group{7, {}};
  GuestDevice foreign(stranger, world.iommu, group);
  const ObjectId dev = world.bound(foreign);
  uapi::IommuHwptAlloc bad = world.nested(viommu, uapi::kIommuHwptDirtyTracking, 99);
  bad.dev_id = dev;
  EXPECT_EQ(world.hwpt_alloc(bad), EINVAL);  // 16
  bad.dev_id = world.dev;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 17: flag
  bad.flags = uapi::kIommuHwptFaultIdValid;
  bad.data_type = 0;
  bad.data_len = 0;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 17: no data
  bad = world.nested(viommu, uapi::kIommuHwptFaultIdValid, 99);
  GuestViommu::nests = false;
  EXPECT_EQ(world.hwpt_alloc(bad), EOPNOTSUPP);  // 17: no operation
  GuestViommu::nests = true;
  EXPECT_EQ(world.hwpt_alloc(bad), ENOENT);  // 18
  bad.flags = 0;
  const ObjectId child = world.hwpt(bad);
  ASSERT_NE(child, 0U);
  EXPECT_EQ(world.destroy(viommu), EBUSY);
  EXPECT_EQ(world.attach(world.dev, child), 0);
  EXPECT_EQ(world.detach(world.dev), 0);
  EXPECT_EQ(world.destroy(child), 0);
  EXPECT_EQ(world.destroy(viommu), 0);
  EXPECT_EQ(device_unbind(*world.context, dev), 0);
}

// uapi 1.6
TEST_F(HwptNestedTest, AFaultQueueIsHeldByThePageTableThatNamesIt) {
  int fd = -1;
  const ObjectId fault = world.fault_queue(fd);
  const ObjectId hwpt = world.hwpt(world.paging(uapi::kIommuHwptFaultIdValid, fault));
  EXPECT_EQ(world.close(fd), 0);
  EXPECT_EQ(world.destroy(fault), EBUSY);
  EXPECT_EQ(world.destroy(hwpt), 0);
  EXPECT_EQ(world.destroy(fault), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
