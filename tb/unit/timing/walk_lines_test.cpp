// SPDX-License-Identifier: Apache-2.0
#include "timing/walk_lines.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

struct WalkLinesTest : ::testing::Test {
  stats::Group root{"root"};
  WalkLineStats stats{root, "walk_lines"};
  WalkLineParams params{PteFetch::kLine, LineLevels::kLast, {4}};
  const WalkLines::Words words{10, 11, 12, 13, 14, 15, 16, 17};

  static translate::WalkKey key(std::uint64_t iova, unsigned pscid = 1, unsigned levels = 3) {
    translate::WalkKey key;
    key.tag.first_stage = true;
    key.tag.pscid = base::Pscid(pscid);
    key.levels = static_cast<std::uint8_t>(levels);
    key.address = iova;
    return key;
  }
  static translate::Invalidation page(std::uint64_t address) {
    translate::Invalidation invalidation;
    invalidation.address_valid = true;
    invalidation.address = address;
    return invalidation;
  }
};

TEST_F(WalkLinesTest, ServesTheEightPagesOfTheLine) {
  WalkLines lines(params, 0, stats);
  lines.fill(key(0x13000), 0x9018, words);
  const WalkLines::Words* const found = lines.probe(key(0x17000), 0x9038);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(word_in_line(*found, 0x9038, 8), 17U);
  EXPECT_EQ(word_in_line(*found, 0x9000, 8), 10U);
  EXPECT_EQ(lines.probe(key(0x18000), 0x9040), nullptr);
  EXPECT_EQ(lines.probe(key(0x17000, 2), 0x9038), nullptr) << "another address space";
  EXPECT_EQ(lines.probe(key(0x17000), 0xa038), nullptr) << "the walk came by another table";
}

TEST_F(WalkLinesTest, AnEntryOfFourBytesIsHalfAWord) {
  const WalkLines::Words halves{0x00000002'00000001};
  EXPECT_EQ(word_in_line(halves, 0x9000, 4), 1U);
  EXPECT_EQ(word_in_line(halves, 0x9004, 4), 2U);
  EXPECT_EQ(translate::line_log2(key(0, 1, 2)), 16U);
  EXPECT_EQ(translate::line_log2(key(0, 1, 3)), 15U);
}

/// IOMMU 3.1.1: any address that a PTE of the line translates, and of the NAPOT range that it may be part of.
TEST_F(WalkLinesTest, AnInvalidationOfAnyOfItsPagesTakesTheLine) {
  for (const std::uint64_t address : {0x10000U, 0x17000U, 0x18000U, 0x1f000U}) {
    WalkLines lines(params, 0, stats);
    lines.fill(key(0x13000), 0x9018, words);
    lines.invalidate(page(address));
    EXPECT_EQ(lines.probe(key(0x13000), 0x9018), nullptr) << address;
  }
  WalkLines lines(params, 0, stats);
  lines.fill(key(0x13000), 0x9018, words);
  lines.invalidate(page(0x20000));
  EXPECT_NE(lines.probe(key(0x13000), 0x9018), nullptr);
}

TEST_F(WalkLinesTest, AnUpdateOfAnEntryChangesTheLineIfItHeldWhatWasCompared) {
  WalkLines lines(params, 0, stats);
  lines.fill(key(0x13000), 0x9018, words);
  translate::MemoryAsk swap;
  swap.address = 0x9018;
  swap.bytes = 8;
  swap.data = {99, 100};
  lines.updated(key(0x13000), swap);
  EXPECT_EQ(word_in_line(*lines.probe(key(0x13000), 0x9018), 0x9018, 8), 13U);
  swap.data = {13, 77};
  lines.updated(key(0x13000), swap);
  EXPECT_EQ(word_in_line(*lines.probe(key(0x13000), 0x9018), 0x9018, 8), 77U);
}

TEST_F(WalkLinesTest, LevelsAndFetchSayWhatIsALine) {
  EXPECT_TRUE(WalkLines(params, 0, stats).fetches(0));
  EXPECT_FALSE(WalkLines(params, 0, stats).fetches(1));
  params.levels = LineLevels::kAll;
  EXPECT_TRUE(WalkLines(params, 0, stats).fetches(1));
  params.fetch = PteFetch::kEntry;
  EXPECT_FALSE(WalkLines(params, 0, stats).fetches(0));
}

}  // namespace
}  // namespace iommusim::timing
