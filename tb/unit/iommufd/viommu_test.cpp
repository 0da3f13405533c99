// SPDX-License-Identifier: Apache-2.0
// VIOMMU_ALLOC: uapi 7.1, R10.1; and the mappings that its driver announces: uapi 9, R10.6.
#include "iommufd/viommu.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct ViommuTest : ::testing::Test {
  GuestWorld world;
  ObjectId parent = world.parent();
  int alloc(uapi::IommuViommuAlloc& argument) { return world.call(uapi::kIommuViommuAlloc, argument); }
};

TEST_F(ViommuTest, AnswersInOrder) {
  uapi::IommuViommuAlloc bad{0, 1, 0, 99, 98, 0, 2, 1, 0x123000};
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // flags
  bad.flags = 0;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // type 0
  bad.type = 5;
  EXPECT_EQ(alloc(bad), ENOENT);  // device
  bad.dev_id = world.dev;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // the driver does not offer it
  bad.type = kGuestType;
  EXPECT_EQ(alloc(bad), ENOENT);  // page table
  bad.hwpt_id = world.hwpt(world.nested(parent));
  EXPECT_EQ(alloc(bad), ENOENT) << "a nested one";
  bad.hwpt_id = world.hwpt(world.paging());
  EXPECT_EQ(alloc(bad), EINVAL);  // no nest parent
  bad.hwpt_id = parent;
  EXPECT_EQ(alloc(bad), EINVAL);  // the driver: length
  bad.data_len = 4;
  EXPECT_EQ(alloc(bad), EFAULT);  // the driver: data
  bad.data_uptr = world.put({21});
  EXPECT_EQ(alloc(bad), 0) << "reserved is not checked";
  EXPECT_EQ(world.word_at(bad.data_uptr), 42U) << "in and out";
}

// R10.1
TEST_F(ViommuTest, HoldsItsParent) {
  const ObjectId viommu = world.viommu(parent);
  ASSERT_NE(viommu, 0U);
  EXPECT_EQ(world.destroy(parent), EBUSY);
  EXPECT_EQ(world.destroy(viommu), 0);
  EXPECT_EQ(world.destroy(parent), 0);
  EXPECT_EQ(world.hardware.live, 0);
}

TEST_F(ViommuTest, EventsOfATypeThatNobodyListensTo) {
  ASSERT_NE(world.viommu(parent), 0U);
  const std::uint32_t word = 1;
  EXPECT_EQ(GuestViommu::newest->ports().report_event(kEventType, &word, 4), EOPNOTSUPP);  // R10.3
}

constexpr unsigned kReadable = 1, kExecutable = 4;

// uapi 9, R10.6
TEST_F(ViommuTest, RegionsAreMappedExactlyAsAnnounced) {
  const ObjectId viommu = world.viommu(parent);
  domain::VirtualIommuPorts& ports = GuestViommu::newest->ports();
  std::uint64_t first = 0, second = 0;
  ASSERT_EQ(ports.announce_mmap(0x40000000, 2 * kPage, first), 0);
  ASSERT_EQ(ports.announce_mmap(0x50000000, kPage, second), 0);
  EXPECT_EQ(first, kPage) << "never 0";
  EXPECT_EQ(second, 3 * kPage);
  hal::MappedRegion region;
  const auto map = [&](std::uint64_t offset, std::uint64_t bytes, unsigned prot = kReadable, bool shared = true) {
    return world.context->mmap(offset, bytes, prot, shared, region);
  };
  EXPECT_EQ(map(2 * kPage, kPage, kExecutable, false), -EINVAL) << "not shared";
  EXPECT_EQ(map(2 * kPage, kPage, kExecutable), -EPERM);
  EXPECT_EQ(map(2 * kPage, kPage), -ENXIO) << "inside, but not where it begins";
  EXPECT_EQ(map(first, kPage), -ENXIO) << "another length";
  EXPECT_EQ(map(first, 3 * kPage), -ENXIO);
  EXPECT_EQ(map(0, kPage), -ENXIO);
  EXPECT_EQ(map(first, 2 * kPage), 0);
  EXPECT_EQ(region.spa, 0x40000000U);
  EXPECT_EQ(world.destroy(viommu), EBUSY) << "uapi 1.6: while mapped";
  region.hold.reset();
  ports.retract_mmap(second);
  EXPECT_EQ(map(second, kPage), -ENXIO);
  EXPECT_EQ(world.destroy(viommu), 0);
  EXPECT_EQ(map(first, 2 * kPage), -ENXIO) << "gone with its owner";
}

TEST_F(ViommuTest, AMappingOutlivesTheContextsDescriptor) {
  world.viommu(parent);
  std::uint64_t offset = 0;
  ASSERT_EQ(GuestViommu::newest->ports().announce_mmap(0x40000000, kPage, offset), 0);
  hal::MappedRegion region;
  ASSERT_EQ(world.context->mmap(offset, kPage, kReadable, true, region), 0);
  world.unbind_all();
  const std::weak_ptr<Context> context = world.context;
  world.context.reset();
  EXPECT_FALSE(context.expired());
  region.hold.reset();
  EXPECT_TRUE(context.expired());
}

}  // namespace
}  // namespace iommusim::iommufd
