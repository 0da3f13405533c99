// SPDX-License-Identifier: Apache-2.0
// The end of a context takes everything with it.
#include "iommufd/context.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

TEST(Context, ClosingReleasesWhatIsLeft) {
  World world;
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  uapi::IommuHwptAlloc argument{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
  ASSERT_EQ(world.call(uapi::kIommuHwptAlloc, argument), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 4 * kPage, 0x10000), 0);
  ASSERT_EQ(device_unbind(*world.context, device), 0);
  EXPECT_EQ(world.user.locked_pages(), 4U);
  world.context.reset();
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
}

TEST(Context, ContextsHaveIdsOfTheirOwn) {
  World world;
  const auto other = Context::open(world.host);
  EXPECT_EQ(world.ioas(), 1U);
  EXPECT_FALSE(other->objects().hold_any(1));
}

TEST(Context, ALeakAtTheEndStopsTheProgram) {
  const auto leak = [] {
    World world;
    UsersRef<Ioas> forgotten = to_users(world.context->objects().hold<Ioas>(world.ioas()));
    world.context.reset();
  };
  EXPECT_DEATH(leak(), "objects leak at the end of a context: IOAS 1");
}

}  // namespace
}  // namespace iommusim::iommufd
