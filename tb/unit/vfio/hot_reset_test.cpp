// SPDX-License-Identifier: Apache-2.0
// The reset of a bus: functions 1 and 2 of the world share bus 3, function 0 is on the root bus.
#include "vfio/hot_reset.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct HotResetTest : ::testing::Test {
  struct Info {
    uapi::VfioPciHotReset head;
    uapi::VfioPciDependentDevice devices[3];
  };
  std::int64_t info(int fd, Info& out, std::uint32_t argsz = sizeof(Info)) {
    out = {{argsz, 7, 9}, {}};
    return world.ioctl(fd, uapi::kVfioDeviceGetPciHotResetInfo, out);
  }
  std::int64_t reset(int fd, std::vector<std::uint32_t> groups = {}, std::uint32_t flags = 0) {
    std::vector<std::uint32_t> words{static_cast<std::uint32_t>(12 + 4 * groups.size()), flags,
                                     static_cast<std::uint32_t>(groups.size())};
    words.insert(words.end(), groups.begin(), groups.end());
    return world.ioctl(fd, uapi::kVfioDevicePciHotReset, words.data(), words.size() * 4);
  }
  VfioWorld world;
};

TEST_F(HotResetTest, ArgumentsInOrder) {
  const int root = world.bound(0);
  Info out{};
  EXPECT_EQ(world.ioctl_at(root, uapi::kVfioDeviceGetPciHotResetInfo, 0x1000), -EFAULT);
  EXPECT_EQ(info(root, out, 11), -EINVAL);
  EXPECT_EQ(info(root, out), -ENODEV) << "the root bus has no bridge";
  EXPECT_EQ(world.ioctl_at(root, uapi::kVfioDevicePciHotReset, 0x1000), -EFAULT);
  EXPECT_EQ(reset(root, {}, 1), -EINVAL) << "flags";
  EXPECT_EQ(reset(root, {3}), -EINVAL) << "a list of groups is for the group path";
  EXPECT_EQ(reset(root), -ENODEV);
}

TEST_F(HotResetTest, ACharacterDeviceSeesIds) {
  const int fd = world.bound(1);
  Info out{};
  EXPECT_EQ(info(fd, out, 12 + 8), -ENOSPC);
  EXPECT_EQ(out.head.count, 2U) << "what is needed";
  ASSERT_EQ(info(fd, out), 0);
  EXPECT_EQ(out.head.count, 2U);
  EXPECT_EQ(out.head.flags, uapi::kVfioHotResetDevId | uapi::kVfioHotResetDevIdOwned);
  EXPECT_EQ(out.devices[0].group_or_devid, 1U);
  EXPECT_EQ(out.devices[0].bus, 3);
  EXPECT_EQ(out.devices[0].devfn, 0);
  EXPECT_EQ(out.devices[1].group_or_devid, uapi::kVfioDevIdOwned) << "not bound, but of a group that is ours";
  EXPECT_EQ(out.devices[1].devfn, 8);
  const unsigned before = world.functions[2].resets;
  EXPECT_EQ(reset(fd), 0);
  EXPECT_EQ(world.functions[2].resets, before + 1);
}

TEST_F(HotResetTest, SomebodyElsesDeviceForbidsIt) {
  ScriptedFunction neighbour;
  {
    VfioWorld other;
    drivers::MockDeviceOptions options;
    options.group = 30;
    other.registry.add("0000:03:02.0", neighbour, other.iommu.add_device(options));
    const int fd = other.bound(1);
    Info out{{sizeof(Info), 0, 0}, {}};
    ASSERT_EQ(other.ioctl(fd, uapi::kVfioDeviceGetPciHotResetInfo, out), 0);
    EXPECT_EQ(out.head.count, 3U);
    EXPECT_EQ(out.head.flags, uapi::kVfioHotResetDevId);
    EXPECT_EQ(out.devices[2].group_or_devid, uapi::kVfioDevIdNotOwned);
    std::uint32_t words[3] = {12, 0, 0};
    EXPECT_EQ(other.ioctl(fd, uapi::kVfioDevicePciHotReset, words), -EINVAL);
  }
}

TEST_F(HotResetTest, TheGroupPathShowsItsGroups) {
  const int group = world.open_group(12);
  std::int32_t container = world.open_iommu();
  ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
  char name[] = "0000:03:00.0";
  const auto fd = static_cast<int>(world.ioctl(group, uapi::kVfioGroupGetDeviceFd, name));
  ASSERT_GT(fd, 0);
  Info out{};
  ASSERT_EQ(info(fd, out), 0);
  EXPECT_EQ(out.head.flags, 0U);
  EXPECT_EQ(out.devices[0].group_or_devid, 12U);
  EXPECT_EQ(reset(fd), -EINVAL) << "no group shown";
  EXPECT_EQ(reset(fd, {99}), -EBADF);
  EXPECT_EQ(reset(fd, {static_cast<std::uint32_t>(fd)}), -EINVAL) << "not a group";
  EXPECT_EQ(reset(fd, {static_cast<std::uint32_t>(world.open_group(11))}), -EINVAL) << "not the right one";
  EXPECT_EQ(reset(fd, {1, 2, 3}), -EINVAL) << "more groups than devices";
  const unsigned before = world.functions[1].resets;
  EXPECT_EQ(reset(fd, {static_cast<std::uint32_t>(group)}), 0);
  EXPECT_EQ(world.functions[1].resets, before + 1);
}

}  // namespace
}  // namespace iommusim::vfio
