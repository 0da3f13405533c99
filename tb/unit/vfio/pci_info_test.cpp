// SPDX-License-Identifier: Apache-2.0
// What a program is told about a device, DEVICE_RESET and DEVICE_FEATURE.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct InfoTest : ::testing::Test {
  std::int64_t region(uapi::VfioRegionInfo& info) { return world.ioctl(fd, uapi::kVfioDeviceGetRegionInfo, info); }
  uapi::VfioRegionInfo region(std::uint32_t index) {
    uapi::VfioRegionInfo info{32, 0, index, 0, 0, 0};
    EXPECT_EQ(region(info), 0);
    EXPECT_EQ(info.offset, VfioWorld::region(index));
    return info;
  }
  std::int64_t feature(std::uint32_t flags, std::uint32_t argsz = 16, std::uint64_t data = 0) {
    struct {
      uapi::VfioDeviceFeature head;
      std::uint64_t data;
    } argument{{argsz, flags}, data};
    return world.ioctl(fd, uapi::kVfioDeviceFeature, argument);
  }
  VfioWorld world;
  int fd = world.bound();
};

TEST_F(InfoTest, DeviceInfoOfAnySize) {
  for (const std::uint32_t argsz : {16U, 20U, 24U, 100U}) {
    std::vector<std::uint32_t> words(30, 0xAAAA'AAAA);
    words[0] = argsz;
    ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetInfo, words.data(), words.size() * 4), 0);
    EXPECT_EQ(words[0], argsz);
    EXPECT_EQ(words[1], 3U) << "a PCI device that can be reset";
    EXPECT_EQ(words[2], 9U);
    EXPECT_EQ(words[3], 5U);
    EXPECT_EQ(words[4], argsz >= 20 ? 0U : 0xAAAA'AAAAU) << "nothing beyond argsz";
    EXPECT_EQ(words[5], argsz >= 24 ? 0U : 0xAAAA'AAAAU);
    EXPECT_EQ(words[6], 0xAAAA'AAAAU);
  }
  uapi::VfioDeviceInfo info{15, 0, 0, 0, 0, 0};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetInfo, info), -EINVAL);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceGetInfo, 0x1000), -EFAULT);
}

TEST_F(InfoTest, Regions) {
  const auto bar0 = region(0);
  EXPECT_EQ(bar0.size, 0x4000U);
  EXPECT_EQ(bar0.flags, 15U) << "read, write, mmap, capabilities";
  EXPECT_EQ(bar0.argsz, 40U) << "what the capability needs";
  EXPECT_EQ(bar0.cap_offset, 0U) << "it did not fit";
  const auto bar2 = region(2);
  EXPECT_EQ(bar2.size, 0x100U);
  EXPECT_EQ(bar2.flags, 3U);
  for (const std::uint32_t absent : {1U, 3U, 5U}) {
    EXPECT_EQ(region(absent).size, 0U);
    EXPECT_EQ(region(absent).flags, 0U);
  }
  EXPECT_EQ(region(4).flags, 3U) << "ports";
  EXPECT_EQ(region(uapi::kVfioPciRom).flags, 1U);
  EXPECT_EQ(region(uapi::kVfioPciRom).size, 2048U);
  EXPECT_EQ(region(uapi::kVfioPciConfig).flags, 3U);
  EXPECT_EQ(region(uapi::kVfioPciConfig).size, 4096U);
}

TEST_F(InfoTest, RegionArguments) {
  uapi::VfioRegionInfo info{31, 0, 0, 0, 0, 0};
  EXPECT_EQ(region(info), -EINVAL);
  info = {32, 0, uapi::kVfioPciVga, 0, 0, 0};
  EXPECT_EQ(region(info), -EINVAL) << "the device has no VGA";
  info = {32, 0, 9, 0, 0, 0};
  EXPECT_EQ(region(info), -EINVAL);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceGetRegionInfo, 0x1000), -EFAULT);
}

TEST_F(InfoTest, TheMessageTableMayBeMapped) {
  struct {
    uapi::VfioRegionInfo info;
    uapi::VfioInfoCapHeader capability;
  } argument{{40, 0, 0, 0, 0, 0}, {}};
  ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetRegionInfo, argument), 0);
  EXPECT_EQ(argument.info.cap_offset, 32U);
  EXPECT_EQ(argument.capability.id, uapi::kVfioRegionCapMsixMappable);
  EXPECT_EQ(argument.capability.version, 1);
  EXPECT_EQ(argument.capability.next, 0U);
}

TEST_F(InfoTest, Interrupts) {
  struct Expected {
    std::uint32_t flags, count;
  };
  const Expected expected[] = {{7, 1}, {9, 8}, {1, 16}, {9, 1}, {9, 1}};
  for (std::uint32_t index = 0; index < 5; ++index) {
    uapi::VfioIrqInfo info{16, 0, index, 0};
    ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetIrqInfo, info), 0);
    EXPECT_EQ(info.flags, expected[index].flags) << index;
    EXPECT_EQ(info.count, expected[index].count) << index;
  }
  uapi::VfioIrqInfo info{16, 0, 5, 0};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetIrqInfo, info), -EINVAL);
  info = {15, 0, 0, 0};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetIrqInfo, info), -EINVAL);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceGetIrqInfo, 0x1000), -EFAULT);
}

TEST_F(InfoTest, ResetClearsTheFunction) {
  const unsigned before = world.functions[0].resets;
  ASSERT_EQ(world.pwrite(fd, 8, "abcd", 4), 4);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceReset, 0), 0);
  EXPECT_EQ(world.functions[0].resets, before + 1);
  std::uint32_t value = 1;
  ASSERT_EQ(world.pread(fd, 8, &value, 4), 4);
  EXPECT_EQ(value, 0U);
}

TEST_F(InfoTest, OpeningResetsTheFunction) {
  world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMaster);
  const unsigned before = world.functions[0].resets;
  world.close(fd);
  EXPECT_GT(world.functions[0].resets, before);
  EXPECT_FALSE(world.functions[0].bus_master);
  const int again = world.bound();
  EXPECT_EQ(world.config<std::uint16_t>(again, kCfgCommand), kCommandIo | kCommandMemory);
}

TEST_F(InfoTest, FeaturesInOrder) {
  constexpr std::uint32_t kGet = uapi::kVfioFeatureGet, kSet = uapi::kVfioFeatureSet, kProbe = uapi::kVfioFeatureProbe;
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceFeature, 0x1000), -EFAULT);
  EXPECT_EQ(feature(kGet | 3, 7), -EINVAL);
  EXPECT_EQ(feature(1U << 19), -EINVAL) << "unknown flag";
  EXPECT_EQ(feature(kGet | kSet | 0xFFF), -EINVAL) << "both, without a probe";
  EXPECT_EQ(feature(kGet | kSet | kProbe | 0xFFF), -ENOTTY) << "unknown feature";
  for (const std::uint32_t absent : {0U, 1U, 2U, 6U, 7U, 8U, 9U, 10U, 11U})
    EXPECT_EQ(feature(kProbe | absent), -ENOTTY);
  for (const std::uint32_t power : {3U, 4U, 5U}) {
    EXPECT_EQ(feature(kProbe | power), 0) << power;
    EXPECT_EQ(feature(kProbe | kSet | power), 0) << power;
    EXPECT_EQ(feature(kProbe | kGet | power), -EINVAL) << power;
    EXPECT_EQ(feature(kGet | power), -EINVAL) << power;
    EXPECT_EQ(feature(power), -EINVAL) << power;
  }
}

TEST_F(InfoTest, LowPowerStopsTheFunction) {
  constexpr std::uint32_t kSet = uapi::kVfioFeatureSet;
  world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMemory | kCommandMaster);
  EXPECT_EQ(feature(kSet | 3, 8), 0);
  EXPECT_EQ(feature(kSet | 3, 8), -EINVAL) << "is asleep";
  EXPECT_FALSE(world.functions[0].bus_master);
  std::uint32_t value = 0;
  EXPECT_EQ(world.pread(fd, 0, &value, 4), -EIO);
  EXPECT_EQ(world.config(fd, 0), 0x11E9'1234U) << "configuration answers";
  EXPECT_EQ(feature(kSet | 5, 8), 0);
  EXPECT_EQ(world.pread(fd, 0, &value, 4), 4);
  EXPECT_TRUE(world.functions[0].bus_master);
  EXPECT_EQ(feature(kSet | 5, 8), 0) << "awake already";
}

TEST_F(InfoTest, LowPowerWithWakeupTakesAnEventfd) {
  constexpr std::uint32_t kEntry = uapi::kVfioFeatureSet | uapi::kVfioFeatureLowPowerEntryWithWakeup;
  hal::EventFile* event = nullptr;
  const auto efd = static_cast<std::uint64_t>(world.open_event(event));
  EXPECT_EQ(feature(kEntry, 15, efd), -EINVAL) << "too short";
  EXPECT_EQ(feature(kEntry, 16, 0xFFFF'FFFF), -EINVAL);
  EXPECT_EQ(feature(kEntry, 16, 99), -EBADF);
  EXPECT_EQ(feature(kEntry, 16, static_cast<std::uint64_t>(fd)), -EINVAL) << "no eventfd";
  EXPECT_EQ(feature(kEntry, 16, efd), 0);
}

TEST_F(InfoTest, WhatIsNotThere) {
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceIoeventfd, 0), -ENOTTY);
  EXPECT_EQ(world.ioctl_at(fd, uapi::vfio_command(30), 0), -ENOTTY);
}

TEST(InfoOfPlainFunction, WithoutResetOrInterrupts) {
  PciIdentity identity = ScriptedFunction::usual();
  identity.resettable = false;
  identity.express = false;
  identity.interrupt_pin = 0;
  identity.msi_vectors = 0;
  identity.msix = {};
  identity.rom.clear();
  ScriptedFunction plain(identity);
  VfioWorld world;
  drivers::MockDeviceOptions options;
  options.group = 20;
  world.registry.add("0000:00:08.0", plain, world.iommu.add_device(options));
  const int fd = world.bound(3);
  uapi::VfioDeviceInfo info{24, 0, 0, 0, 0, 0};
  ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetInfo, info), 0);
  EXPECT_EQ(info.flags, 2U);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceReset, 0), -EINVAL);
  uapi::VfioIrqInfo irq{16, 0, uapi::kVfioPciErr, 0};
  EXPECT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetIrqInfo, irq), -EINVAL) << "no PCI Express";
  irq = {16, 0, uapi::kVfioPciIntx, 9};
  ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetIrqInfo, irq), 0);
  EXPECT_EQ(irq.count, 0U);
  EXPECT_EQ(world.act_irqs(fd, uapi::kVfioIrqActionTrigger, uapi::kVfioPciIntx, 0, 0), -EINVAL);
  uapi::VfioRegionInfo region{32, 0, uapi::kVfioPciConfig, 0, 0, 0};
  ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetRegionInfo, region), 0);
  EXPECT_EQ(region.size, 256U);
  region = {32, 0, uapi::kVfioPciRom, 0, 0, 0};
  ASSERT_EQ(world.ioctl(fd, uapi::kVfioDeviceGetRegionInfo, region), 0);
  EXPECT_EQ(region.size, 0U);
  EXPECT_EQ(region.flags, 0U);
}

}  // namespace
}  // namespace iommusim::vfio
