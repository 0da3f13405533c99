// SPDX-License-Identifier: Apache-2.0
// A page table that joined its IOAS follows it, and its end leaves the IOAS as it was.
#include "iommufd/hwpt.h"

#include <gtest/gtest.h>

#include <mutex>

#include "world.h"

namespace iommusim::iommufd {
namespace {

TEST(Hwpt, JoinsFilledAndLeavesNothing) {
  World world;
  const ObjectId id = world.ioas();
  ASSERT_EQ(world.ioas_map(id, kHeap, 2 * kPage, 0x10000), 0);
  std::unique_ptr<HwptPaging> hwpt;
  ASSERT_EQ(make_hwpt(world.device, to_users(world.context->objects().hold<Ioas>(id)), false, {}, hwpt), 0);
  EXPECT_EQ(world.user.pinned_pages(), 0U);
  {
    const std::lock_guard guard(hwpt->ioas().mutex());
    ASSERT_EQ(hwpt->join_ioas_locked(), 0);
    EXPECT_EQ(hwpt->ioas().hwpts_locked(), std::vector<HwptPaging*>{hwpt.get()});
  }
  EXPECT_EQ(world.user.pinned_pages(), 2U);
  ASSERT_EQ(world.ioas_map(id, kHeap + (1 << 20), kPage, 0x20000), 0);
  EXPECT_EQ(pagetable::Rig::mock(hwpt->domain()).mapped_bytes(), 3 * kPage);
  EXPECT_EQ(world.destroy(id), EBUSY);
  hwpt.reset();
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_EQ(world.destroy(id), 0);
}

TEST(Hwpt, WithoutADomainThereIsNone) {
  World world;
  const ObjectId id = world.ioas();
  world.iommu.fail_nth(drivers::MockCall::kAllocDomain, 1, ENOMEM);
  std::unique_ptr<HwptPaging> hwpt;
  EXPECT_EQ(make_hwpt(world.device, to_users(world.context->objects().hold<Ioas>(id)), false, {}, hwpt), ENOMEM);
  EXPECT_EQ(world.destroy(id), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
