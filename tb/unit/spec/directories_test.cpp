// SPDX-License-Identifier: Apache-2.0
// Where directory entries are, against the bit positions of IOMMU 2.1.2 and 2.2; that builder and translation agree is
// tested by every translation test.
#include "spec/directories.h"

#include <gtest/gtest.h>

#include <map>

namespace iommusim::spec {
namespace {

struct Words {
  std::uint64_t load(std::uint64_t address) const {
    const auto word = words.find(address);
    return word == words.end() ? 0 : word->second;
  }
  void store(std::uint64_t address, std::uint64_t word) { words[address] = word; }
  std::uint32_t load32(std::uint64_t address) const { return static_cast<std::uint32_t>(load(address)); }
  void store32(std::uint64_t address, std::uint32_t word) { words[address] = word; }
  std::map<std::uint64_t, std::uint64_t> words;
};

TEST(Directories, DeviceIdsAreCutAsTheFormatSays) {
  // Base format: bits 6:0, 15:7, 23:16. Extended: 5:0, 14:6, 23:15.
  EXPECT_EQ(device_directory_index(0xabcdef, 0, false), 0x6fU);
  EXPECT_EQ(device_directory_index(0xabcdef, 1, false), 0xcdef >> 7U);
  EXPECT_EQ(device_directory_index(0xabcdef, 2, false), 0xabU);
  EXPECT_EQ(device_directory_index(0xabcdef, 0, true), 0x2fU);
  EXPECT_EQ(device_directory_index(0xabcdef, 1, true), (0xabcdef >> 6U) & 0x1ffU);
  EXPECT_EQ(device_directory_index(0xabcdef, 2, true), 0xabcdef >> 15U);
  EXPECT_EQ(device_directory_bits(1, false), 7U);
  EXPECT_EQ(device_directory_bits(2, true), 15U);
}

TEST(Directories, ProcessIdsAreCutAsTheModeSays) {
  EXPECT_EQ(process_directory_offset(0xabcde, 0), 0xdeU * 16);
  EXPECT_EQ(process_directory_offset(0xabcde, 1), ((0xabcde >> 8U) & 0x1ffU) * 8);
  EXPECT_EQ(process_directory_offset(0xabcde, 2), (0xabcde >> 17U) * 8);
}

TEST(Directories, TablesOnTheWayAreMadeOnce) {
  Words words;
  Frames frames(0x10000);
  DeviceDirectory<Words> directory(words, frames, 3, false, frames.take());
  const std::uint64_t first = directory.entry(0x010203);
  EXPECT_EQ(frames.next(), 0x13000U);
  EXPECT_EQ(directory.entry(0x010203), first);
  EXPECT_EQ(directory.entry(0x010204), first + kDeviceContextBaseBytes);
  EXPECT_EQ(frames.next(), 0x13000U);
  directory.set(0x010203, {{1, 2, 3, 4}});
  EXPECT_EQ(words.load(first + 24), 4U);
}

TEST(Directories, UnderASecondStageAProcessDirectoryLiesInGuestMemory) {
  Words words;
  Frames frames(0x10000), guest_frames(0x20000);
  constexpr std::uint64_t kOffset = 0x40000000;
  PageTables<Words> tables(words, frames, guest_frames, kOffset, iosatp_mode::kSv39, iohgatp_mode::kSv39x4);
  ProcessDirectory<Words> directory(words, tables, 2);
  EXPECT_EQ(directory.fsc() >> 60, 2U);
  const std::uint64_t root = (directory.fsc() << 12) & ~(15ULL << 60);
  EXPECT_EQ(directory.entry(0x100, 1), root + kOffset + 8);
  EXPECT_GE(directory.entry(0x100), 0x20000 + kOffset);
}

}  // namespace
}  // namespace iommusim::spec
