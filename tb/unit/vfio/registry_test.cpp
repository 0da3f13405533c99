// SPDX-License-Identifier: Apache-2.0
// The nodes of a machine, and the container left out.
#include "vfio/registry.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

TEST(RegistryNodes, DevicesAndGroupsHaveNumbers) {
  VfioWorld world;
  ASSERT_EQ(world.registry.devices().size(), 3U);
  EXPECT_EQ(world.registry.devices()[0]->name(), "0000:00:04.0");
  EXPECT_EQ(world.registry.devices()[2]->number(), 2U);
  EXPECT_EQ(world.registry.devices()[2]->group().number(), 12U);
  EXPECT_EQ(world.registry.groups().size(), 2U);
  EXPECT_EQ(world.open_device(3), -ENODEV);
  EXPECT_EQ(world.open_group(3), -ENODEV);
}

TEST(RegistryNodes, BaseAddressesDoNotOverlap) {
  VfioWorld world;
  const int a = world.bound(0), b = world.bound(1);
  const std::uint64_t first = world.config<std::uint64_t>(a, 0x10) & ~0xFULL;
  const std::uint64_t second = world.config<std::uint64_t>(b, 0x10) & ~0xFULL;
  EXPECT_EQ(first % 0x4000, 0U);
  EXPECT_GE(second, first + 0x4000);
}

TEST(RegistryNodes, APlaceThatTheMachineChoseStays) {
  PciIdentity identity;
  identity.bars[0] = {0x1000, false, false, false, true, 0x3'0000'0000 >> 4};
  ScriptedFunction function(identity);
  VfioWorld world;
  drivers::MockDeviceOptions options;
  options.group = 40;
  world.registry.add("0000:00:08.0", function, world.iommu.add_device(options));
  const int fd = world.bound(3);
  EXPECT_EQ(world.config(fd, 0x10), 0x3000'0000U);
}

TEST(RegistryWithoutContainer, SaysSo) {
  RegistryOptions options;
  options.container = false;
  VfioWorld world({}, options);
  EXPECT_EQ(world.open_container(), -ENODEV);
  const int iommufd = world.open_iommu();
  for (std::uint32_t n = 0; n < 21; ++n) EXPECT_EQ(world.ioctl_at(iommufd, uapi::vfio_command(n), 0), -ENOTTY) << n;
  const int fd = world.open_device();
  EXPECT_EQ(world.bind(fd, iommufd), 1) << "character devices need no container";
}

}  // namespace
}  // namespace iommusim::vfio
