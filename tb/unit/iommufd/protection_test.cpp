// SPDX-License-Identifier: Apache-2.0
// The two protections as values: one raised counter each, dropped once.
#include "iommufd/protection.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "world.h"

namespace iommusim::iommufd {
namespace {

TEST(Protection, MovesWithoutDroppingTwice) {
  World world;
  const ObjectId id = world.ioas();
  ObjectTable& objects = world.context->objects();
  UsersRef<Ioas> a = to_users(objects.hold<Ioas>(id));
  UsersRef<Ioas> b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(b);
  a = std::move(b);
  a = std::move(a);  // NOLINT: on purpose
  EXPECT_EQ(world.destroy(id), EBUSY);
  a = UsersRef<Ioas>();
  EXPECT_EQ(world.destroy(id), 0);
}

TEST(Protection, NarrowKeepsTheHold) {
  World world(ContextOptions{DestroyPolicy::kBusy, false});
  const ObjectId id = world.ioas();
  {
    const CallHold<Ioas> hold = narrow<Ioas>(world.context->objects().hold_any(id));
    EXPECT_EQ(hold->id(), id);
    EXPECT_EQ(world.destroy(id), EBUSY);
  }
  EXPECT_EQ(world.destroy(id), 0);
}

// R1.5a: the named function
TEST(Protection, ToUsersLeavesNoCallBehind) {
  World world(ContextOptions{DestroyPolicy::kBusy, false});
  const ObjectId id = world.ioas();
  UsersRef<Ioas> user = to_users(world.context->objects().hold<Ioas>(id));
  EXPECT_EQ(world.destroy(id), EBUSY);
  user.drop();
  EXPECT_EQ(world.destroy(id), 0);
}

// R1.3
TEST(Protection, ATypedHoldOfAnotherTypeIsEmpty) {
  World world;
  const ObjectId id = world.ioas();
  EXPECT_FALSE(world.context->objects().hold<Device>(id));
  EXPECT_TRUE(world.context->objects().hold<Ioas>(id));
}

}  // namespace
}  // namespace iommusim::iommufd
