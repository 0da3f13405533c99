// SPDX-License-Identifier: Apache-2.0
// Binding: capabilities, ownership of the group, and the context that a bound device keeps alive.
#include "iommufd/device.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

using domain::Capability;

TEST(Device, BindWantsCoherencyAndIsolatedInterrupts) {
  World world;
  drivers::MockDeviceOptions options;
  options.group = 1;
  options.capabilities = {};
  drivers::MockDevice& incoherent = world.iommu.add_device(options);
  options.group = 2;
  options.capabilities = {Capability::kCacheCoherency};
  drivers::MockDevice& unsafe = world.iommu.add_device(options);
  ObjectId id = 0;
  EXPECT_EQ(device_bind(*world.context, incoherent, id), EINVAL);
  EXPECT_EQ(device_bind(*world.context, unsafe, id), EPERM);
  const auto lax = Context::open(world.host, {DestroyPolicy::kWait, true});
  EXPECT_EQ(device_bind(*lax, unsafe, id), 0);
  EXPECT_EQ(device_unbind(*lax, id), 0);
}

TEST(Device, AGroupBelongsToOneContext) {
  World world;
  drivers::MockDevice& sibling = world.iommu.add_device();
  const auto other = Context::open(world.host);
  const ObjectId first = world.bound(world.device);
  ObjectId id = 0;
  EXPECT_EQ(device_bind(*other, sibling, id), EBUSY);  // R5.1
  EXPECT_EQ(device_bind(*world.context, world.device, id), EBUSY) << "bound already";
  EXPECT_EQ(device_bind(*world.context, sibling, id), 0);
  EXPECT_EQ(device_unbind(*world.context, first), 0);
  ObjectId again = 0;
  EXPECT_EQ(device_bind(*other, world.device, again), EBUSY) << "the sibling is still here";
  EXPECT_EQ(device_unbind(*world.context, id), 0);
  EXPECT_EQ(device_bind(*other, world.device, again), 0);
  EXPECT_EQ(device_unbind(*other, again), 0);
}

TEST(Device, UnbindKnowsOnlyDevices) {
  World world;
  const ObjectId ioas = world.ioas();
  EXPECT_EQ(device_unbind(*world.context, 99), ENOENT);
  EXPECT_EQ(device_unbind(*world.context, ioas), ENOENT);
}

TEST(Device, ABoundDeviceKeepsTheContext) {
  World world;
  const ObjectId ioas = world.ioas();
  const ObjectId id = world.bound(world.device);
  ASSERT_NE(world.attached(id, ioas), 0U);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  Context& context = *world.context;
  const std::weak_ptr<Context> alive = world.context;
  world.context.reset();  // the file is closed
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ(device_detach(context, id), 0);
  EXPECT_EQ(device_unbind(context, id), 0);
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
}

}  // namespace
}  // namespace iommusim::iommufd
