// SPDX-License-Identifier: Apache-2.0
// read, write and mmap of regions.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct AccessTest : ::testing::Test {
  int map(std::uint64_t offset, std::uint64_t bytes, bool shared = true) {
    mapped = {};
    return world.user.descriptors().mmap(world.user, fd, offset, bytes, 3, shared, mapped);
  }
  VfioWorld world;
  int fd = world.bound();
  hal::MappedRegion mapped;
};

TEST_F(AccessTest, TransfersAreCutIntoAlignedAccesses) {
  std::uint8_t bytes[17] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  ASSERT_EQ(world.pwrite(fd, 3, bytes, 17), 17);
  using A = ScriptedFunction::Access;
  const std::vector<A> expected = {{0, 3, 1, true}, {0, 4, 4, true}, {0, 8, 8, true}, {0, 16, 4, true}};
  EXPECT_EQ(world.functions[0].accesses, expected);
  std::uint8_t back[17] = {};
  ASSERT_EQ(world.pread(fd, 3, back, 17), 17);
  EXPECT_EQ(std::memcmp(bytes, back, 17), 0);
}

TEST_F(AccessTest, RegionsEnd) {
  std::uint8_t bytes[512] = {};
  EXPECT_EQ(world.pread(fd, VfioWorld::region(2, 0xF0), bytes, 512), 16) << "cut at the end";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(2, 0x100), bytes, 1), -EINVAL);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(3), bytes, 1), -EINVAL) << "no such BAR";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(1), bytes, 1), -EINVAL) << "the upper half of a wide one";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(8), bytes, 1), -EINVAL) << "no VGA";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(9), bytes, 0), -EINVAL) << "no such region";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(3), bytes, 0), 0) << "nothing";
}

TEST_F(AccessTest, TheRomIsReadOnly) {
  std::uint8_t bytes[8] = {};
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciRom), bytes, 4), 4);
  EXPECT_EQ(bytes[0], 0x55);
  EXPECT_EQ(bytes[1], 0xAA);
  EXPECT_EQ(bytes[3], 0xFF) << "beyond the image";
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciRom, 2046), bytes, 8), 2);
  EXPECT_EQ(world.pwrite(fd, VfioWorld::region(uapi::kVfioPciRom), bytes, 4), -EINVAL);
}

TEST_F(AccessTest, ThePositionMoves) {
  std::uint64_t at = world.slot();
  std::uint32_t value = 0;
  ASSERT_EQ(world.pwrite(fd, 4, "\x11\x22\x33\x44", 4), 4);
  EXPECT_EQ(world.user.descriptors().read(world.user, fd, at, 4), 4);
  EXPECT_EQ(world.user.descriptors().read(world.user, fd, at, 4), 4);
  world.user.copy_from_user(&value, at, 4);
  EXPECT_EQ(value, 0x44332211U);
}

TEST_F(AccessTest, BadBuffersFault) {
  EXPECT_EQ(world.user.descriptors().pread(world.user, fd, 0x1000, 4, 0), -EFAULT);
  EXPECT_EQ(world.user.descriptors().pwrite(world.user, fd, 0x1000, 4, 0), -EFAULT);
  EXPECT_EQ(world.user.descriptors().pread(world.user, fd, 0x1000, 4, VfioWorld::region(uapi::kVfioPciConfig)),
            -EFAULT);
}

TEST_F(AccessTest, TheMessageTableIsTheKernels) {
  std::uint32_t value = 0;
  EXPECT_EQ(world.pread(fd, 0x2000, &value, 4), 4);
  EXPECT_EQ(value, 0xFFFF'FFFFU);
  world.functions[0].accesses.clear();
  EXPECT_EQ(world.pwrite(fd, 0x20F8, "\0\0\0\0\0\0\0\0", 8), 8);
  EXPECT_TRUE(world.functions[0].accesses.empty());
  EXPECT_EQ(world.pread(fd, 0x2100, &value, 4), 4);
  EXPECT_EQ(value, 0U) << "behind it";
}

TEST_F(AccessTest, WhatCanBeMapped) {
  EXPECT_EQ(map(0, 0x4000), 0);
  EXPECT_EQ(map(0x1000, 0x3000), 0);
  EXPECT_EQ(map(0, 0x4000, false), -EINVAL) << "private";
  EXPECT_EQ(map(0, 0x5000), -EINVAL) << "beyond the end";
  EXPECT_EQ(map(0x4000, 0x1000), -EINVAL);
  EXPECT_EQ(map(VfioWorld::region(2), 0x1000), -EINVAL) << "not mappable";
  EXPECT_EQ(map(VfioWorld::region(3), 0x1000), -EINVAL) << "not there";
  EXPECT_EQ(map(VfioWorld::region(4), 0x1000), -EINVAL) << "ports";
  EXPECT_EQ(map(VfioWorld::region(6), 0x1000), -EINVAL);
  EXPECT_EQ(map(VfioWorld::region(7), 0x1000), -EINVAL);
  EXPECT_EQ(map(VfioWorld::region(9), 0x1000), -EINVAL);
}

TEST_F(AccessTest, LoadsAndStoresOfAMappingReachTheFunction) {
  ASSERT_EQ(map(0x1000, 0x1000), 0);
  ASSERT_NE(mapped.registers, nullptr);
  EXPECT_EQ(mapped.offset, 0x1000U);
  mapped.registers->store(mapped.offset + 8, 4, 0xCAFE);
  EXPECT_EQ(mapped.registers->load(mapped.offset + 8, 8), 0xCAFEU);
  EXPECT_EQ(mapped.registers->load(0x2000, 2), 0xFFFFU) << "the table of messages";
  world.set_config<std::uint16_t>(fd, kCfgCommand, 0);
  EXPECT_EQ(mapped.registers->load(mapped.offset + 8, 4), 0xFFFF'FFFFU) << "memory is off";
  mapped.registers->store(mapped.offset + 8, 4, 1);
  world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMemory);
  EXPECT_EQ(mapped.registers->load(mapped.offset + 8, 4), 0xCAFEU);
}

TEST_F(AccessTest, MemoryBehindABarIsMappedAsSuch) {
  world.functions[0].memory_bar = 0;
  world.functions[0].memory_spa = 0x9'0000'0000;
  ASSERT_EQ(map(0x1000, 0x1000), 0);
  EXPECT_EQ(mapped.registers, nullptr);
  EXPECT_EQ(mapped.spa, 0x9'0000'1000U);
}

}  // namespace
}  // namespace iommusim::vfio
