// SPDX-License-Identifier: Apache-2.0
// Configuration space as a program reads and writes it: layout, sizing, switches, every length and alignment.
#include "vfio/config_space.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct ConfigTest : ::testing::Test {
  template <class T = std::uint32_t>
  T get(std::uint32_t at) {
    return world.config<T>(fd, at);
  }
  template <class T>
  void set(std::uint32_t at, T value) {
    world.set_config<T>(fd, at, value);
  }
  VfioWorld world;
  int fd = world.bound();
};

TEST_F(ConfigTest, TheHeaderSaysWhatTheFunctionIs) {
  EXPECT_EQ(get(0x00), 0x11E9'1234U);
  EXPECT_EQ(get(0x08), 0x00FF'0001U << 8 | 7);
  EXPECT_EQ(get<std::uint8_t>(0x0E), 0) << "header type";
  EXPECT_EQ(get(0x2C), 0x1100'1AF4U);
  EXPECT_EQ(get<std::uint8_t>(0x3D), 1) << "INTA";
  EXPECT_EQ(get<std::uint16_t>(kCfgStatus) & 0x10, 0x10) << "has capabilities";
  set<std::uint32_t>(0x00, 0xFFFF'FFFF);
  EXPECT_EQ(get(0x00), 0x11E9'1234U) << "read only";
  set<std::uint8_t>(kCfgInterruptLine, 0x2A);
  EXPECT_EQ(get<std::uint8_t>(kCfgInterruptLine), 0x2A) << "the program's own";
}

TEST_F(ConfigTest, BaseAddressesTellTheirSize) {
  const std::uint32_t low = get(0x10), high = get(0x14);
  EXPECT_EQ(low & 0xF, 4U) << "memory of 64 bits";
  EXPECT_NE((std::uint64_t{high} << 32 | low) & ~0xFULL, 0U);
  set<std::uint32_t>(0x10, 0xFFFF'FFFF);
  set<std::uint32_t>(0x14, 0xFFFF'FFFF);
  EXPECT_EQ(get(0x10), 0xFFFF'C004U) << "16 KiB";
  EXPECT_EQ(get(0x14), 0xFFFF'FFFFU);
  set<std::uint32_t>(0x10, low);
  set<std::uint32_t>(0x14, high);
  EXPECT_EQ(get(0x10), low);
  set<std::uint32_t>(0x18, 0xFFFF'FFFF);
  EXPECT_EQ(get(0x18), 0xFFFF'FF00U) << "256 bytes of memory";
  set<std::uint32_t>(0x20, 0xFFFF'FFFF);
  EXPECT_EQ(get(0x20), 0xFFFF'FFE1U) << "32 ports";
  set<std::uint32_t>(0x1C, 0xFFFF'FFFF);
  EXPECT_EQ(get(0x1C), 0U) << "not there";
  set<std::uint32_t>(kCfgRom, 0xFFFF'FFFE);
  EXPECT_EQ(get(kCfgRom), 0xFFFF'F800U);
}

TEST_F(ConfigTest, CapabilitiesAreListed) {
  const std::uint32_t pm = world.capability(fd, 1), msi = world.capability(fd, 5), express = world.capability(fd, 0x10),
                      msix = world.capability(fd, 0x11);
  ASSERT_TRUE(pm && msi && express && msix);
  EXPECT_EQ(world.capability(fd, 0x42), 0U) << "the list ends";
  EXPECT_EQ(get<std::uint16_t>(msi + 2), 0x80 | 3 << 1) << "8 vectors, addresses of 64 bits, off";
  EXPECT_EQ(get<std::uint16_t>(msix + 2), 15) << "16 vectors, off";
  EXPECT_EQ(get(msix + 4), 0x2000U);
  EXPECT_EQ(get(msix + 8), 0x3000U);
  EXPECT_EQ(get(express + 4) >> 28 & 1, 1U) << "can be reset";
  EXPECT_EQ(get(0x100) & 0xFFFF, 1U) << "error reporting";
  EXPECT_EQ(get(0x100) >> 20, 0U) << "the last one";
}

TEST_F(ConfigTest, LoneFunctionsHaveWhatTheyHave) {
  PciIdentity plain;
  plain.express = false;
  plain.power_management = false;
  const ConfigLayout bare = lay_out_config(plain, {});
  EXPECT_EQ(bare.value.size(), 256U);
  EXPECT_EQ(bare.value[kCfgCapabilities], 0);
  EXPECT_EQ(bare.value[kCfgStatus] & 0x10, 0);
  PciIdentity atc;
  atc.ats = true;
  const ConfigLayout layout = lay_out_config(atc, {});
  const std::uint32_t next = (layout.value[0x103] << 8 | layout.value[0x102]) >> 4;
  EXPECT_EQ(layout.value[next] | layout.value[next + 1] << 8, 0x0F) << "ATS behind error reporting";
}

TEST_F(ConfigTest, CommandSwitchesMemoryAndBusMastering) {
  EXPECT_EQ(get<std::uint16_t>(kCfgCommand), kCommandIo | kCommandMemory) << "decoding is on, mastering off";
  std::uint32_t value = 0;
  EXPECT_EQ(world.pread(fd, 0x100, &value, 4), 4);
  EXPECT_FALSE(world.functions[0].bus_master);
  set<std::uint16_t>(kCfgCommand, kCommandMaster);
  EXPECT_TRUE(world.functions[0].bus_master);
  EXPECT_EQ(world.pread(fd, 0x100, &value, 4), -EIO) << "memory is off";
  EXPECT_EQ(world.pwrite(fd, 0x100, &value, 4), -EIO);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(4), &value, 4), 4) << "ports are something else";
  set<std::uint8_t>(kCfgCommand, kCommandMemory);
  EXPECT_FALSE(world.functions[0].bus_master) << "a byte of the register does as well";
  EXPECT_EQ(world.pread(fd, 0x100, &value, 4), 4);
}

TEST_F(ConfigTest, SleepingFunctionsDoNothing) {
  const std::uint32_t pm = world.capability(fd, 1);
  set<std::uint16_t>(kCfgCommand, kCommandMemory | kCommandMaster);
  set<std::uint16_t>(pm + kPmControl, 1);
  EXPECT_EQ(get<std::uint16_t>(pm + kPmControl) & 3, 0) << "there is no D1";
  set<std::uint16_t>(pm + kPmControl, 3);
  EXPECT_FALSE(world.functions[0].bus_master);
  std::uint32_t value = 0;
  EXPECT_EQ(world.pread(fd, 0x100, &value, 4), -EIO);
  set<std::uint16_t>(pm + kPmControl, 0);
  EXPECT_TRUE(world.functions[0].bus_master) << "the command register stayed";
  EXPECT_EQ(world.pread(fd, 0x100, &value, 4), 4);
}

TEST_F(ConfigTest, ExpressControlResetsTheFunction) {
  const std::uint32_t express = world.capability(fd, 0x10);
  set<std::uint16_t>(kCfgCommand, kCommandMemory | kCommandMaster);
  const unsigned before = world.functions[0].resets;
  set<std::uint16_t>(express + kExpressControl, 0x2810 | kExpressFlr);
  EXPECT_EQ(world.functions[0].resets, before + 1);
  EXPECT_EQ(get<std::uint16_t>(express + kExpressControl), 0x2810) << "the request reads as 0";
  EXPECT_TRUE(world.functions[0].bus_master) << "what the program configured is restored";
}

TEST_F(ConfigTest, TheWireShowsInTheStatus) {
  EXPECT_EQ(get<std::uint16_t>(kCfgStatus) & kStatusInterrupt, 0);
  world.functions[0].sink->set_wire(true);
  EXPECT_EQ(get<std::uint16_t>(kCfgStatus) & kStatusInterrupt, kStatusInterrupt);
}

TEST_F(ConfigTest, MessagesAreEnabledByTheKernelOnly) {
  const std::uint32_t msi = world.capability(fd, 5), msix = world.capability(fd, 0x11);
  set<std::uint16_t>(msi + 2, 0xFFFF);
  EXPECT_EQ(get<std::uint16_t>(msi + 2), 0x86) << "neither enabled nor granted";
  set<std::uint16_t>(msix + 2, 0xFFFF);
  EXPECT_EQ(get<std::uint16_t>(msix + 2), 15);
  hal::EventFile* event = nullptr;
  const int efd = world.open_event(event);
  constexpr std::uint32_t kSet = uapi::kVfioIrqDataEventfd | uapi::kVfioIrqActionTrigger;
  ASSERT_EQ(world.set_irqs(fd, kSet, uapi::kVfioPciMsi, 0, {efd, efd, efd, efd}), 0);
  EXPECT_EQ(get<std::uint16_t>(msi + 2), 0x86 | 1 | 2 << 4) << "enabled, 4 vectors";
  set<std::uint16_t>(msi + 2, 0x71);
  EXPECT_EQ(get<std::uint16_t>(msi + 2), 0x86 | 1 | 2 << 4) << "no more than were granted";
  set<std::uint32_t>(msi + 4, 0xFEE0'0003);
  EXPECT_EQ(get(msi + 4), 0xFEE0'0000U) << "the address is the program's own";
  ASSERT_EQ(world.act_irqs(fd, uapi::kVfioIrqActionTrigger, uapi::kVfioPciMsi, 0, 0), 0);
  EXPECT_EQ(get<std::uint16_t>(msi + 2), 0x86);
  ASSERT_EQ(world.set_irqs(fd, kSet, uapi::kVfioPciMsix, 0, {efd}), 0);
  EXPECT_EQ(get<std::uint16_t>(msix + 2), 0x800F);
}

TEST_F(ConfigTest, OnlyInsideTheSpace) {
  std::vector<char> all(4097);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciConfig), all.data(), 4096), 4096);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciConfig, 1), all.data(), 4096), -EFAULT);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciConfig, 4096), all.data(), 1), -EFAULT);
  EXPECT_EQ(world.pread(fd, VfioWorld::region(uapi::kVfioPciConfig, 4096), all.data(), 0), 0);
  EXPECT_EQ(world.pwrite(fd, VfioWorld::region(uapi::kVfioPciConfig, 4095), all.data(), 2), -EFAULT);
}

// Any split of a write into pieces leaves the same registers, and any piece reads what the whole says.
RC_GTEST_PROP(ConfigSpaceLaw, PiecesOfAnyLengthAgree, ()) {
  const ScriptedFunction function;
  const ConfigLayout layout = lay_out_config(function.identity(), {0x10000, 0, 0x8000'0000, 0, 0x1000, 0});
  ConfigSpace whole(layout), pieces(layout);
  const auto start = *rc::gen::inRange<std::uint32_t>(0, 250);
  const auto bytes = *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange<std::size_t>(1, 40),
                                                                    rc::gen::arbitrary<std::uint8_t>());
  whole.write(start, bytes.data(), bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = *rc::gen::inRange<std::size_t>(1, bytes.size() - at + 1);
    pieces.write(start + static_cast<std::uint32_t>(at), bytes.data() + at, n);
    at += n;
  }
  std::vector<std::uint8_t> a(whole.size()), b(whole.size());
  whole.read(0, a.data(), a.size());
  pieces.read(0, b.data(), b.size());
  RC_ASSERT(a == b);
  for (std::uint32_t i = 0; i < whole.size(); ++i) {
    std::uint8_t byte = 0;
    whole.read(i, &byte, 1);
    RC_ASSERT(byte == a[i]);
  }
}

}  // namespace
}  // namespace iommusim::vfio
