// SPDX-License-Identifier: Apache-2.0
// What the builder writes, followed by hand; that translation finds its way through it is tested by every translation
// test.
#include "spec/page_tables.h"

#include <gtest/gtest.h>

#include <map>

namespace iommusim::spec {
namespace {

struct WordMap {
  std::uint64_t load(std::uint64_t address) const {
    const auto word = words.find(address);
    return word == words.end() ? 0 : word->second;
  }
  void store(std::uint64_t address, std::uint64_t word) { words[address] = word; }
  std::uint32_t load32(std::uint64_t address) const { return static_cast<std::uint32_t>(load(address)); }
  void store32(std::uint64_t address, std::uint32_t word) { words[address] = word; }
  std::map<std::uint64_t, std::uint64_t> words;
};

TEST(PageTables, AThreeLevelPathEndsAtTheFrame) {
  WordMap words;
  Frames frames(0x10000), guest_frames(0);
  PageTables<WordMap> tables(words, frames, guest_frames, 0, iosatp_mode::kSv39, iohgatp_mode::kBare);
  tables.map(0x40203000, 0x999000);
  std::uint64_t table = tables.first_root;
  for (const unsigned index : {1U, 1U}) table = next_table(words.load(table + 8 * index));
  EXPECT_EQ(words.load(table + 8 * 3), (0x999ULL << 10) | kOpenLeaf);
  EXPECT_EQ(words.words.size(), 3U);
}

TEST(PageTables, ALeafOfLevelOneNeedsOneTableLess) {
  WordMap words;
  Frames frames(0x10000), guest_frames(0);
  PageTables<WordMap> tables(words, frames, guest_frames, 0, iosatp_mode::kSv39, iohgatp_mode::kBare);
  tables.map(0x40200000, 0x800000, 1);
  EXPECT_EQ(words.words.size(), 2U);
  EXPECT_EQ(words.load(tables.first_entry(0x40200000, 1)), (0x800ULL << 10) | kOpenLeaf);
}

TEST(PageTables, UnderASecondStageEveryTableIsMapped) {
  WordMap words;
  Frames frames(0x10000), guest_frames(0x20000);
  constexpr std::uint64_t kOffset = 0x40000000;
  PageTables<WordMap> tables(words, frames, guest_frames, kOffset, iosatp_mode::kSv39, iohgatp_mode::kSv39x4);
  tables.map(0x1000, 0x7000);
  for (const std::uint64_t gpa : {0x20000ULL, 0x21000ULL, 0x22000ULL, 0x7000ULL})
    EXPECT_EQ(words.load(tables.second_entry(gpa, 0)), ((gpa + kOffset) >> 2) | kOpenLeaf) << gpa;
  EXPECT_EQ(tables.second_root % 0x4000, 0U);
}

}  // namespace
}  // namespace iommusim::spec
