// SPDX-License-Identifier: Apache-2.0
// The group path (uapi 12).
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct GroupTest : ::testing::Test {
  std::int64_t status(int fd, std::uint32_t& flags, std::uint32_t argsz = 8) {
    uapi::VfioGroupStatus status{argsz, 0xFFFF};
    const std::int64_t result = world.ioctl(fd, uapi::kVfioGroupGetStatus, status);
    flags = status.flags;
    return result;
  }
  std::uint32_t status(int fd) {
    std::uint32_t flags = 0;
    EXPECT_EQ(status(fd, flags), 0);
    return flags;
  }
  std::int64_t set_container(int fd, std::int32_t container) {
    return world.ioctl(fd, uapi::kVfioGroupSetContainer, container);
  }
  std::int64_t get_device(int fd, const char* name) {
    char bytes[32] = {};
    std::snprintf(bytes, sizeof bytes, "%s", name);
    return world.ioctl(fd, uapi::kVfioGroupGetDeviceFd, bytes, sizeof bytes);
  }
  VfioWorld world;
};

TEST_F(GroupTest, OneOpenAtATime) {
  EXPECT_EQ(world.open_group(99), -ENODEV);
  const int fd = world.open_group(11);
  ASSERT_GT(fd, 0);
  EXPECT_EQ(world.open_group(11), -EBUSY);
  world.close(fd);
  EXPECT_GT(world.open_group(11), 0);
}

TEST_F(GroupTest, Status) {
  const int fd = world.open_group(11);
  std::uint32_t flags = 0;
  EXPECT_EQ(status(fd, flags, 7), -EINVAL);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupGetStatus, 0x1000), -EFAULT);
  EXPECT_EQ(status(fd), uapi::kVfioGroupViable);
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  EXPECT_EQ(status(fd), uapi::kVfioGroupViable | uapi::kVfioGroupContainerSet);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceGetInfo, 0), -ENOTTY);
}

TEST_F(GroupTest, NotViableWhenAnotherHasItsDma) {
  const int fd = world.open_group(11);
  int owner = 0;
  ASSERT_EQ(world.host.ownership.claim(world.mocks[0]->group(), &owner), 0);
  EXPECT_EQ(status(fd), 0U);
  world.host.ownership.release(world.mocks[0]->group());
}

TEST_F(GroupTest, SetContainerInOrder) {
  const int fd = world.open_group(11);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupSetContainer, 0x1000), -EFAULT);
  EXPECT_EQ(set_container(fd, -1), -EINVAL);
  EXPECT_EQ(set_container(fd, 99), -EBADF);
  EXPECT_EQ(set_container(fd, fd), -EBADFD);
  const int iommufd = world.open_iommu();
  EXPECT_EQ(set_container(fd, iommufd), 0);
  EXPECT_TRUE(world.sees_ioas(1)) << "the compat address space; no page table yet";
  EXPECT_EQ(world.iommu.live_domains(), 0U);
  EXPECT_EQ(set_container(fd, 99), -EINVAL) << "set already; before the descriptor";
}

TEST_F(GroupTest, TheSecondGroupFindsTheCompatSpace) {
  const int iommufd = world.open_iommu();
  ASSERT_EQ(set_container(world.open_group(11), iommufd), 0);
  ASSERT_EQ(set_container(world.open_group(12), iommufd), 0);
  EXPECT_TRUE(world.sees_ioas(1));
  EXPECT_FALSE(world.sees_ioas(2));
}

TEST_F(GroupTest, UnsetContainer) {
  const int fd = world.open_group(11);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupUnsetContainer, 0), -EINVAL);
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  const auto device = static_cast<int>(get_device(fd, "0000:00:04.0"));
  ASSERT_GT(device, 0);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupUnsetContainer, 0), -EBUSY);
  world.close(device);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupUnsetContainer, 0), 0);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupUnsetContainer, 0), -EINVAL);
}

TEST_F(GroupTest, GetDeviceInOrder) {
  const int fd = world.open_group(11);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioGroupGetDeviceFd, 0x1000), -EFAULT);
  EXPECT_EQ(get_device(fd, "0000:00:04.0"), -EINVAL) << "no container";
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  EXPECT_EQ(get_device(fd, "0000:00:05.0"), -ENODEV);
  EXPECT_EQ(get_device(fd, "0000:03:00.0"), -ENODEV) << "of another group";
}

TEST_F(GroupTest, ADeviceIsBoundAndAttached) {
  const int fd = world.open_group(11);
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  ASSERT_EQ(world.ioas_map(1, kHeap, kPage, 0x10000), 0);
  const auto device = static_cast<int>(get_device(fd, "0000:00:04.0"));
  ASSERT_GT(device, 0);
  std::uint64_t spa = 0;
  EXPECT_TRUE(world.mocks[0]->access(0x10000, true, spa));
  EXPECT_EQ(world.config(device, 0), 0x11E9'1234U);
  uapi::VfioDeviceBindIommufd bind{16, 0, 3, 0, 0};
  EXPECT_EQ(world.ioctl(device, uapi::kVfioDeviceBindIommufd, &bind, 16), -EINVAL) << "of the group path";
  ObjectId pt = 1;
  EXPECT_EQ(world.attach(device, pt), -ENOTTY) << "a call of character devices";
  EXPECT_EQ(world.detach(device), -ENOTTY);
  world.close(device);
  EXPECT_EQ(world.mocks[0]->attached(), nullptr);
}

TEST_F(GroupTest, FilesOfADeviceShareIt) {
  const int fd = world.open_group(11);
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  const auto one = static_cast<int>(get_device(fd, "0000:00:04.0"));
  const auto two = static_cast<int>(get_device(fd, "0000:00:04.0"));
  ASSERT_GT(two, 0);
  world.set_config<std::uint16_t>(one, kCfgCommand, kCommandMemory | kCommandMaster);
  world.close(one);
  EXPECT_TRUE(world.functions[0].bus_master);
  EXPECT_EQ(world.config<std::uint16_t>(two, kCfgCommand), kCommandMemory | kCommandMaster);
  world.close(fd);
  EXPECT_EQ(world.open_group(11), -EBUSY) << "an open device keeps its group open";
  world.close(two);
  EXPECT_GT(world.open_group(11), 0);
  EXPECT_FALSE(world.functions[0].bus_master);
}

TEST_F(GroupTest, TheCompatSpaceMayBeGone) {
  const int fd = world.open_group(11);
  ASSERT_EQ(set_container(fd, world.open_iommu()), 0);
  ASSERT_EQ(world.destroy(1), 0);
  EXPECT_EQ(get_device(fd, "0000:00:04.0"), -ENODEV);
  EXPECT_EQ(world.destroy(1), ENOENT) << "and the device is not bound";
}

TEST_F(GroupTest, ExcludesCharacterDevices) {
  const int iommufd = world.open_iommu();
  const int cdev = world.open_device(1);
  const int group = world.open_group(12);
  EXPECT_EQ(world.bind(cdev, iommufd), -EBUSY);
  EXPECT_EQ(world.bind(world.open_device(2), iommufd), -EBUSY) << "the whole group";
  EXPECT_EQ(world.bind(world.open_device(0), iommufd), 1) << "another group";
  world.close(group);
  EXPECT_EQ(world.bind(cdev, iommufd), 2);
  EXPECT_EQ(world.open_group(12), -EBUSY);
}

}  // namespace
}  // namespace iommusim::vfio
