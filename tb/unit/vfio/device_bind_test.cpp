// SPDX-License-Identifier: Apache-2.0
// BIND, ATTACH, DETACH of a character device: every row of uapi 11.2 to 11.4 in its order.
#include <gtest/gtest.h>

#include <thread>

#include "world.h"

namespace iommusim::vfio {
namespace {

constexpr std::uint64_t kNowhere = 0x1000;

struct BindTest : ::testing::Test {
  /// A bind with all 24 bytes.
  std::int64_t bind24(int fd, uapi::VfioDeviceBindIommufd argument) {
    return world.ioctl(fd, uapi::kVfioDeviceBindIommufd, argument);
  }
  /// A bind of any size; bytes beyond the structure are zero but one.
  std::int64_t bind_sized(int fd, int iommufd, std::uint32_t argsz, std::size_t nonzero = 0) {
    std::vector<std::uint8_t> bytes(std::max<std::size_t>(argsz, 24) + 8);
    const uapi::VfioDeviceBindIommufd argument{argsz, 0, iommufd, 0, 0};
    std::memcpy(bytes.data(), &argument, 16);
    if (nonzero != 0) bytes[nonzero] = 1;
    return world.ioctl(fd, uapi::kVfioDeviceBindIommufd, bytes.data(), bytes.size());
  }
  VfioWorld world;
};

TEST_F(BindTest, BeforeItEveryCallIsInvalid) {
  const int fd = world.open_device();
  for (const std::uint32_t command :
       {uapi::kVfioDeviceGetInfo, uapi::kVfioDeviceGetRegionInfo, uapi::kVfioDeviceGetIrqInfo, uapi::kVfioDeviceSetIrqs,
        uapi::kVfioDeviceReset, uapi::kVfioDeviceFeature, uapi::kVfioDeviceAttachIommufdPt,
        uapi::kVfioDeviceDetachIommufdPt, uapi::kVfioDeviceGetPciHotResetInfo, uapi::kVfioDeviceIoeventfd})
    EXPECT_EQ(world.ioctl_at(fd, command, kNowhere), -EINVAL) << std::hex << command;
  char byte = 0;
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciConfig), &byte, 1), -EINVAL);
  EXPECT_EQ(world.pwrite(fd, VfioWorld::region(uapi::kVfioPciConfig), &byte, 1), -EINVAL);
  hal::MappedRegion mapped;
  EXPECT_EQ(world.user.descriptors().mmap(world.user, fd, 0, kPage, 3, true, mapped), -EINVAL);
}

TEST_F(BindTest, ArgumentsInOrder) {
  const int fd = world.open_device();
  const int iommufd = world.open_iommu();
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceBindIommufd, kNowhere), -EFAULT);     // 0
  EXPECT_EQ(bind_sized(fd, -1, 15, 20), -EINVAL);                                     // 1
  EXPECT_EQ(bind_sized(fd, -1, 25, 24), -E2BIG) << "before the negative descriptor";  // 2
  EXPECT_EQ(bind_sized(fd, -1, 200, 199), -E2BIG);
  EXPECT_EQ(bind_sized(fd, -1, 16), -EINVAL);  // 3
  EXPECT_EQ(bind24(fd, {24, 2, iommufd, 0, 0}), -EINVAL) << "unknown flag";
  EXPECT_EQ(bind24(fd, {24, 1, 99, 0, kNowhere}), -EFAULT) << "the token comes before the descriptor";  // 7
  EXPECT_EQ(bind24(fd, {24, 1, 99, 0, iommufd::kArguments}), -EINVAL) << "no token is wanted";
  EXPECT_EQ(world.bind(fd, 99), -EBADF);   // 8
  EXPECT_EQ(world.bind(fd, fd), -EBADFD);  // 9
  EXPECT_GT(bind_sized(fd, iommufd, 24, 25), -1) << "beyond argsz nothing counts";
}

TEST_F(BindTest, EverySizeFromSixteenOn) {
  for (const std::uint32_t argsz : {16U, 17U, 20U, 23U, 24U, 25U, 64U, 300U}) {
    const int fd = world.open_device();
    const int iommufd = world.open_iommu();
    EXPECT_EQ(bind_sized(fd, iommufd, argsz), 0) << argsz;
    world.close(fd);
    world.close(iommufd);
  }
}

TEST_F(BindTest, AUnreadableArgumentOrReplyFaults) {
  const int fd = world.open_device();
  const int iommufd = world.open_iommu();
  const std::uint64_t end = kHeap + (32 << 20);
  const std::uint32_t argsz = 16;
  ASSERT_EQ(world.user.copy_to_user(end - 4, &argsz, 4), 0);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceBindIommufd, end - 4), -EFAULT);
  EXPECT_EQ(world.bind(fd, iommufd), 1) << "nothing was left behind";
}

TEST_F(BindTest, AnOpenGroupExcludesIt) {
  const int iommufd = world.open_iommu();
  const int group = world.open_group(11);
  const int fd = world.open_device();
  EXPECT_EQ(bind24(fd, {24, 1, 99, 0, kNowhere}), -EBUSY) << "before token and descriptor";  // 5
  world.close(group);
  EXPECT_EQ(world.bind(fd, iommufd), 1);
  EXPECT_EQ(world.open_group(11), -EBUSY) << "and the other way round";
  world.close(fd);
  EXPECT_GT(world.open_group(11), 0);
}

TEST_F(BindTest, AFailedBindDoesNotKeepTheGroupClosed) {
  const int fd = world.open_device();
  EXPECT_EQ(world.bind(fd, 99), -EBADF);
  EXPECT_GT(world.open_group(11), 0);
}

TEST_F(BindTest, OncePerFileAndPerDevice) {
  const int iommufd = world.open_iommu();
  const int first = world.open_device();
  const int second = world.open_device();
  ASSERT_EQ(world.bind(first, iommufd), 1);
  EXPECT_EQ(bind24(first, {24, 1, 99, 0, kNowhere}), -EINVAL) << "6: before the token";
  EXPECT_EQ(world.bind(second, 99), -EBADF) << "8: before the other file";
  EXPECT_EQ(world.bind(second, iommufd), -EINVAL) << "10";
  world.close(first);
  EXPECT_EQ(world.bind(second, iommufd), 1);
}

TEST(BindToken, IsWantedAndMustMatch) {
  DeviceOptions options;
  options.token = std::array<std::uint8_t, 16>{1, 2, 3};
  VfioWorld world(options);
  const int fd = world.open_device();
  const int iommufd = world.open_iommu();
  EXPECT_EQ(world.bind(fd, 99), -EINVAL) << "wanted; before the descriptor";
  const std::uint64_t at = kHeap;
  uapi::VfioDeviceBindIommufd argument{24, 1, iommufd, 0, at};
  std::array<std::uint8_t, 16> token{1, 2, 4};
  ASSERT_EQ(world.user.copy_to_user(at, token.data(), 16), 0);
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceBindIommufd, argument), -EACCES);
  token[2] = 3;
  ASSERT_EQ(world.user.copy_to_user(at, token.data(), 16), 0);
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceBindIommufd, argument), 0);
  EXPECT_EQ(argument.out_devid, 1U);
}

TEST(BindHardware, WhatTheIommuMustOffer) {
  ScriptedFunction incoherent, unsafe;
  VfioWorld world;
  drivers::MockDeviceOptions options;
  options.group = 13;
  options.capabilities = {domain::Capability::kIsolatedMsi};
  world.registry.add("0000:00:06.0", incoherent, world.iommu.add_device(options));
  options.group = 14;
  options.capabilities = {domain::Capability::kCacheCoherency};
  world.registry.add("0000:00:07.0", unsafe, world.iommu.add_device(options));
  const int iommufd = world.open_iommu();
  EXPECT_EQ(world.bind(world.open_device(3), iommufd), -EINVAL);  // 11
  EXPECT_EQ(world.bind(world.open_device(4), iommufd), -EPERM);   // 13
  EXPECT_EQ(world.open_device(5), -ENODEV);
}

TEST_F(BindTest, AnotherContextHasTheGroup) {
  const int iommufd = world.open_iommu();
  const int other =
      world.install(0, std::make_shared<iommufd::ContextFile>("/dev/iommu", iommufd::Context::open(world.host)));
  ASSERT_EQ(world.bind(world.open_device(1), iommufd), 1);
  EXPECT_EQ(world.bind(world.open_device(2), other), -EBUSY);  // 14
  EXPECT_EQ(world.bind(world.open_device(2), iommufd), 2) << "the same context may have both";
}

TEST_F(BindTest, AttachArgumentsInOrder) {
  const int fd = world.bound();
  struct Case {
    std::uint32_t argsz, flags;
    std::int64_t answer;
  };
  for (const Case& c : {Case{11, 2, -EINVAL},
                        {12, 2, -EINVAL},
                        {12, 1, -EINVAL},
                        {15, 1, -EINVAL},
                        {12, 0, -ENOENT},
                        {16, 0, -ENOENT}}) {
    uapi::VfioDeviceAttachIommufdPt argument{c.argsz, c.flags, 99, 0};
    EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceAttachIommufdPt, argument), c.answer) << c.argsz << " " << c.flags;
  }
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceAttachIommufdPt, kNowhere), -EFAULT);
}

TEST(AttachPasid, NeedsTheOperationOfTheKernel) {
  DeviceOptions options;
  options.pasid_operations = false;
  VfioWorld world(options);
  const int fd = world.bound();
  uapi::VfioDeviceAttachIommufdPt attach{12, 1, 99, 1};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceAttachIommufdPt, attach), -EOPNOTSUPP) << "before the size";
  uapi::VfioDeviceDetachIommufdPt detach{8, 1, 1};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceDetachIommufdPt, detach), -EOPNOTSUPP) << "before the size";
}

TEST_F(BindTest, DetachArgumentsInOrder) {
  const int fd = world.bound();
  struct Case {
    std::uint32_t argsz, flags;
    std::int64_t answer;
  };
  for (const Case& c :
       {Case{7, 2, -EINVAL}, {8, 2, -EINVAL}, {8, 1, -EINVAL}, {11, 1, -EINVAL}, {12, 1, 0}, {8, 0, 0}}) {
    uapi::VfioDeviceDetachIommufdPt argument{c.argsz, c.flags, 5};
    EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceDetachIommufdPt, argument), c.answer) << c.argsz << " " << c.flags;
  }
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceDetachIommufdPt, kNowhere), -EFAULT);
}

TEST_F(BindTest, AttachAgainReplaces) {
  const int fd = world.bound();
  const ObjectId a = world.ioas(), b = world.ioas();
  ASSERT_EQ(world.ioas_map(a, kHeap, kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(b, kHeap + kPage, kPage, 0x10000), 0);
  std::uint64_t spa = 0, other = 0;
  EXPECT_FALSE(world.mocks[0]->access(0x10000, false, spa)) << "bound only: blocked";
  ObjectId pt = a;
  ASSERT_EQ(world.attach(fd, pt), 0);
  EXPECT_NE(pt, a) << "the page table that was made";
  ASSERT_TRUE(world.mocks[0]->access(0x10000, false, spa));
  const ObjectId first = pt;
  EXPECT_EQ(world.attach(fd, pt), 0) << "the same one again";
  EXPECT_EQ(pt, first);
  pt = b;
  ASSERT_EQ(world.attach(fd, pt), 0);
  ASSERT_TRUE(world.mocks[0]->access(0x10000, false, other));
  EXPECT_NE(spa, other);
  EXPECT_EQ(world.destroy(first), ENOENT) << "the old automatic page table is gone";
  EXPECT_EQ(world.detach(fd), 0);
  EXPECT_FALSE(world.mocks[0]->access(0x10000, false, spa));
  EXPECT_EQ(world.detach(fd), 0) << "also when nothing is attached";
}

TEST_F(BindTest, AReplyThatCannotBeWrittenDetaches) {
  const int fd = world.bound();
  const ObjectId ioas = world.ioas();
  world.user.map_linear(0x90000000, kPage, 0x90000000, hal::kUserRead);
  const uapi::VfioDeviceAttachIommufdPt argument{12, 0, ioas, 0};
  world.memory.write(0x90000000, &argument, sizeof argument);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceAttachIommufdPt, 0x90000000), -EFAULT);
  EXPECT_EQ(world.mocks[0]->attached(), nullptr);
}

TEST_F(BindTest, IncompatiblePageTablesAreInvalid) {
  const int fd = world.bound();
  ObjectId pt = 1;  // the device itself
  EXPECT_EQ(world.attach(fd, pt), -EINVAL) << "so that QEMU tries the next";
  EXPECT_EQ(pt, 1U);
}

TEST_F(BindTest, TheLastCloseUndoesEverything) {
  const int fd = world.bound();
  ObjectId pt = world.ioas();
  const ObjectId ioas = pt;
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  ASSERT_EQ(world.attach(fd, pt), 0);
  EXPECT_EQ(world.destroy(1), EBUSY) << "the device's id";
  const int copy = world.user.descriptors().dup(fd);
  world.close(fd);
  EXPECT_NE(world.mocks[0]->attached(), nullptr);
  world.close(copy);
  EXPECT_EQ(world.mocks[0]->attached(), nullptr);
  EXPECT_EQ(world.destroy(1), ENOENT);
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_FALSE(world.functions[0].bus_master);
}

TEST_F(BindTest, ManyThreadsOneWins) {
  const int iommufd = world.open_iommu();
  std::atomic<int> wins{0}, invalid{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const int fd = world.open_device();
        const std::int64_t id = world.bind(fd, iommufd);
        id > 0 ? ++wins : id == -EINVAL ? ++invalid : 0;
        world.close(fd);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wins + invalid, 200);
  EXPECT_GT(wins, 0);
  EXPECT_GT(world.open_group(11), 0) << "nothing keeps the group closed";
}

}  // namespace
}  // namespace iommusim::vfio
