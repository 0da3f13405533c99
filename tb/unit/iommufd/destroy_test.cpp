// SPDX-License-Identifier: Apache-2.0
// DESTROY over the edges of uapi 1.6 that exist: who makes whom busy.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

TEST(Destroy, UnknownIds) {
  World world;
  EXPECT_EQ(world.destroy(0), ENOENT);
  EXPECT_EQ(world.destroy(1), ENOENT);
  const ObjectId ioas = world.ioas();
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.destroy(ioas), ENOENT);
}

TEST(Destroy, AnIoasWithAreasIsUnmapped) {
  World world;
  const ObjectId ioas = world.ioas();
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 4 * kPage, 0x10000), 0);
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.ioas(), ioas) << "the id is free";
}

TEST(Destroy, APageTableKeepsItsIoasAndAnAttachmentKeepsThePageTable) {
  World world;
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  const ObjectId hwpt = world.attached(device, ioas);
  ASSERT_NE(hwpt, 0U);
  EXPECT_EQ(world.destroy(ioas), EBUSY);
  EXPECT_EQ(world.destroy(hwpt), EBUSY);
  EXPECT_EQ(world.destroy(device), EBUSY);
  EXPECT_TRUE(world.sees_ioas(ioas));
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(world.destroy(hwpt), ENOENT) << "an automatic one goes with its last device";
  EXPECT_EQ(world.destroy(device), EBUSY) << "the kernel's binding holds it";
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
  EXPECT_EQ(world.destroy(device), ENOENT);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
}

TEST(Destroy, AnAccessKeepsItsIoas) {
  World world;
  const ObjectId ioas = world.ioas();
  Access* access = nullptr;
  ASSERT_EQ(access_create(*world.context, {}, access), 0);
  ASSERT_EQ(access->attach(ioas), 0);
  EXPECT_EQ(world.destroy(ioas), EBUSY);
  EXPECT_EQ(world.destroy(access->id()), EBUSY);
  ASSERT_EQ(access->detach(), 0);
  EXPECT_EQ(world.destroy(ioas), 0);
  access_destroy(*access);
}

}  // namespace
}  // namespace iommusim::iommufd
