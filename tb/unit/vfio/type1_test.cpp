// SPDX-License-Identifier: Apache-2.0
// The calls of a type1 container (uapi 13): each errno in its order, both modes of unmapping.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct Type1Test : ::testing::Test {
  std::int64_t call(std::uint32_t command, std::uint64_t argument = 0) {
    return world.ioctl_at(container, command, argument);
  }
  /// A group with its device open: the compat space has a page table.
  void open_device() {
    group = world.open_group(11);
    ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
    char name[] = "0000:00:04.0";
    device = static_cast<int>(world.ioctl(group, uapi::kVfioGroupGetDeviceFd, name));
    ASSERT_GT(device, 0);
  }
  void make_space() {
    group = world.open_group(11);
    ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
  }
  std::int64_t map(std::uint64_t va, std::uint64_t iova, std::uint64_t size, std::uint32_t flags = 3,
                   std::uint32_t argsz = 32) {
    uapi::VfioIommuType1DmaMap argument{argsz, flags, va, iova, size};
    return world.ioctl(container, uapi::kVfioIommuMapDma, argument);
  }
  /// `size` receives what is written back.
  std::int64_t unmap(std::uint64_t iova, std::uint64_t& size, std::uint32_t flags = 0, std::uint32_t argsz = 24) {
    uapi::VfioIommuType1DmaUnmap argument{argsz, flags, iova, size};
    const std::int64_t result = world.ioctl(container, uapi::kVfioIommuUnmapDma, argument);
    size = argument.size;
    return result;
  }
  std::int64_t unmap_bytes(std::uint64_t iova, std::uint64_t size) { return unmap(iova, size); }
  bool reaches(std::uint64_t iova, bool write = false) {
    std::uint64_t spa = 0;
    return world.mocks[0]->access(iova, write, spa);
  }
  VfioWorld world;
  int container = world.open_container();
  int group = -1;
  int device = -1;
};

TEST_F(Type1Test, VersionAndExtensions) {
  EXPECT_EQ(call(uapi::kVfioGetApiVersion), 0);
  for (const std::uint64_t yes : {1, 3, 9}) EXPECT_EQ(call(uapi::kVfioCheckExtension, yes), 1) << yes;
  for (const std::uint64_t no : {0, 2, 5, 6, 7, 8, 10, 11, 99}) EXPECT_EQ(call(uapi::kVfioCheckExtension, no), 0) << no;
  EXPECT_EQ(call(uapi::kVfioCheckExtension, 4), -ENODEV) << "coherency is asked of the address space";
  make_space();
  EXPECT_EQ(call(uapi::kVfioCheckExtension, 4), 1) << "no page table that would not be coherent";
}

TEST_F(Type1Test, ArgumentsComeBeforeTheMissingSpace) {
  EXPECT_EQ(call(uapi::kVfioSetIommu, 2), -EINVAL);
  EXPECT_EQ(call(uapi::kVfioSetIommu, 8), -EINVAL);
  EXPECT_EQ(call(uapi::kVfioSetIommu, 1), -ENODEV);
  EXPECT_EQ(call(uapi::kVfioSetIommu, 3), -ENODEV);
  EXPECT_EQ(call(uapi::kVfioIommuMapDma, 0x1000), -EFAULT);
  EXPECT_EQ(map(kHeap, 0, kPage, 3, 31), -EINVAL);
  EXPECT_EQ(map(kHeap, 0, kPage, 4), -EINVAL);
  EXPECT_EQ(map(kHeap, 0, kPage), -ENODEV);
  std::uint64_t size = kPage;
  EXPECT_EQ(call(uapi::kVfioIommuUnmapDma, 0x1000), -EFAULT);
  EXPECT_EQ(unmap(0, size, 0, 23), -EINVAL);
  EXPECT_EQ(unmap(0, size, 1), -EINVAL) << "no dirty bitmap";
  EXPECT_EQ(unmap(0, size, 4), -EINVAL);
  EXPECT_EQ(unmap(5, size, 2), -ENODEV) << "before ALL with an address";
  EXPECT_EQ(size, kPage) << "nothing written back";
  EXPECT_EQ(call(uapi::kVfioIommuGetInfo, 0x1000), -EFAULT);
  std::uint32_t info[6] = {15, 0, 0, 0, 0, 0};
  EXPECT_EQ(world.ioctl(container, uapi::kVfioIommuGetInfo, info), -EINVAL);
  info[0] = 16;
  EXPECT_EQ(world.ioctl(container, uapi::kVfioIommuGetInfo, info), -ENODEV);
}

TEST_F(Type1Test, UnknownCallsAreNotThere) {
  EXPECT_EQ(call(uapi::kVfioIommuDirtyPages, 0x1000), -ENOTTY);
  EXPECT_EQ(call(uapi::kVfioGroupGetStatus, 0x1000), -ENOTTY);
  EXPECT_EQ(call(uapi::vfio_command(15), 0x1000), -ENOTTY);
  EXPECT_EQ(call(0x3B00, 0x1000), -ENOTTY);
  EXPECT_EQ(call(0x3BFF, 0x1000), -ENOTTY);
  EXPECT_EQ(call(0xC0103B71, 0x1000), -ENOTTY) << "other bits of the number";
}

TEST_F(Type1Test, MapInOrder) {
  make_space();
  EXPECT_EQ(map(~0ULL - 4095, 0x10000, 4096), -EOVERFLOW) << "the end of user memory wraps";
  EXPECT_EQ(map(kHeap, 0x10000, 0), -EINVAL);
  EXPECT_EQ(map(kHeap, ~0ULL - 4094, 4096), -EOVERFLOW);
  EXPECT_EQ(map(kHeap, 0x10000, kPage), 0);
  EXPECT_EQ(map(kHeap, 0x10000, kPage), -EEXIST);
  EXPECT_EQ(map(kHeap, 0, kPage), 0) << "address 0";
  EXPECT_EQ(map(kHeap, 0x20000, kPage, 0), 0) << "no access at all is not refused";
  EXPECT_EQ(map(0x1000, 0x30000, kPage), 0) << "nothing is pinned without a page table";
}

TEST_F(Type1Test, MapReachesTheDevice) {
  open_device();
  EXPECT_EQ(map(0x1000, 0x10000, kPage), -EFAULT);
  EXPECT_EQ(map(iommufd::kReadOnly, 0x10000, kPage, uapi::kVfioDmaMapWrite), -EFAULT);
  ASSERT_EQ(map(kHeap, 0x10000, 2 * kPage), 0);
  ASSERT_EQ(map(iommufd::kReadOnly, 0x20000, kPage, uapi::kVfioDmaMapRead), 0);
  EXPECT_TRUE(reaches(0x11000, true));
  EXPECT_TRUE(reaches(0x20000));
  EXPECT_FALSE(reaches(0x20000, true));
  EXPECT_EQ(unmap_bytes(0x10000, 2 * kPage), 0);
  EXPECT_FALSE(reaches(0x10000));
}

TEST_F(Type1Test, UnmapWritesTheSizeBack) {
  make_space();
  ASSERT_EQ(map(kHeap, 0x10000, kPage), 0);
  ASSERT_EQ(map(kHeap, 0x20000, kPage), 0);
  ASSERT_EQ(map(kHeap, 0x30000, 2 * kPage), 0);
  std::uint64_t size = 0x10000;
  EXPECT_EQ(unmap(0x40000, size), 0) << "an empty range";
  EXPECT_EQ(size, 0U);
  size = 0x21000;
  EXPECT_EQ(unmap(0x10000, size), -ENOENT) << "the third is only partly inside";
  EXPECT_EQ(size, 2 * kPage) << "two were gone by then";
  size = 0;
  EXPECT_EQ(unmap(0x30000, size), -EINVAL);
  size = ~0ULL;
  EXPECT_EQ(unmap(0x30000, size), -EOVERFLOW);
  EXPECT_EQ(size, 0U) << "written back, too";
  size = 5;
  EXPECT_EQ(unmap(0, size, 2), -EINVAL) << "ALL with a size";
  EXPECT_EQ(size, 5U) << "not written back";
  size = 0;
  EXPECT_EQ(unmap(5, size, 2), -EINVAL) << "ALL with an address";
  EXPECT_EQ(unmap(0, size, 2), 0);
  EXPECT_EQ(size, 2 * kPage);
  size = 0;
  EXPECT_EQ(unmap(0, size, 2), 0) << "when all is empty";
  EXPECT_EQ(size, 0U);
}

TEST_F(Type1Test, AReadOnlyArgumentOfUnmapFaults) {
  make_space();
  world.user.map_linear(0x90000000, kPage, 0x90000000, hal::kUserRead);
  const uapi::VfioIommuType1DmaUnmap argument{24, 0, 0x10000, kPage};
  world.memory.write(0x90000000, &argument, sizeof argument);
  EXPECT_EQ(call(uapi::kVfioIommuUnmapDma, 0x90000000), -EFAULT);
}

TEST_F(Type1Test, Version2TakesWholeMappings) {
  open_device();
  ASSERT_EQ(call(uapi::kVfioSetIommu, 3), 0);
  ASSERT_EQ(map(kHeap, 0x10000, 4 * kPage), 0);
  std::uint64_t size = kPage;
  EXPECT_EQ(unmap(0x10000, size), -ENOENT);
  EXPECT_EQ(size, 0U);
  EXPECT_EQ(unmap_bytes(0x11000, kPage), -ENOENT);
  EXPECT_EQ(unmap_bytes(0x10000, 4 * kPage), 0);
}

TEST_F(Type1Test, Version1CutsMappings) {
  make_space();
  ASSERT_EQ(call(uapi::kVfioSetIommu, 1), 0);
  char name[] = "0000:00:04.0";
  device = static_cast<int>(world.ioctl(group, uapi::kVfioGroupGetDeviceFd, name));
  ASSERT_GT(device, 0);
  ASSERT_EQ(map(kHeap, 0x10000, 8 * kPage), 0);
  std::uint64_t size = 2 * kPage;
  ASSERT_EQ(unmap(0x12000, size), 0) << "out of the middle";
  EXPECT_EQ(size, 2 * kPage);
  EXPECT_TRUE(reaches(0x11FFF));
  EXPECT_FALSE(reaches(0x12000));
  EXPECT_FALSE(reaches(0x13FFF));
  EXPECT_TRUE(reaches(0x14000));
  EXPECT_EQ(world.user.pinned_pages(), 6U);
  size = 0x800;
  EXPECT_EQ(unmap(0x14000, size), -EINVAL) << "not at a page";
  EXPECT_EQ(size, 0x800U) << "a failed cut writes nothing back";
  size = 0x10000;
  EXPECT_EQ(unmap(0x10000, size), 0);
  EXPECT_EQ(size, 6 * kPage);
  EXPECT_EQ(world.user.pinned_pages(), 0U);
}

TEST_F(Type1Test, Version1CutsFromTheVeryStart) {
  make_space();
  ASSERT_EQ(call(uapi::kVfioSetIommu, 1), 0);
  ASSERT_EQ(map(kHeap, 0, 2 * kPage), 0);
  std::uint64_t size = kPage;
  EXPECT_EQ(unmap(0, size), 0) << "there is no border below address 0";
  EXPECT_EQ(size, kPage);
}

TEST_F(Type1Test, Version1ComesBeforeMappingsWithAPageTable) {
  open_device();
  ASSERT_EQ(map(kHeap, 0x10000, kPage), 0);
  EXPECT_EQ(call(uapi::kVfioSetIommu, 1), -EINVAL) << "as the option that turns large pages off";
  EXPECT_EQ(call(uapi::kVfioSetIommu, 3), 0);
}

TEST_F(Type1Test, AContainerPaysByTheAddressSpace) {
  std::shared_ptr<hal::File> file;
  ASSERT_EQ(world.user.descriptors().find(container, file), 0);
  EXPECT_EQ(dynamic_cast<iommufd::ContextFile&>(*file).context()->account(), hal::LockedAccount::kMm);
}

TEST_F(Type1Test, TheOtherNodeDoesAsWell) {
  const int iommufd = world.open_iommu();
  EXPECT_EQ(world.ioctl_at(iommufd, uapi::kVfioGetApiVersion, 0), 0);
  EXPECT_EQ(world.ioctl_at(iommufd, uapi::kVfioSetIommu, 3), -ENODEV);
  uapi::IommuVfioIoas choose{sizeof choose, world.ioas(), uapi::kIommuVfioIoasSet, 0};
  ASSERT_EQ(world.ioctl(iommufd, uapi::kIommuVfioIoas, choose), 0);
  EXPECT_EQ(world.ioctl_at(iommufd, uapi::kVfioSetIommu, 3), 0);
}

}  // namespace
}  // namespace iommusim::vfio
