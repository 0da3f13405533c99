// SPDX-License-Identifier: Apache-2.0
#include "spec/paging.h"

#include <gtest/gtest.h>

namespace iommusim::spec {

TEST(Paging, X4RootsAreIndexedByTwoBitsMore) {
  EXPECT_EQ(kSv39x4.entry_offset(2, 3ULL << 39), 0x3000U);
  EXPECT_EQ(kSv39x4.entry_offset(2, (1ULL << 41) - 1), 2047U * 8);
  EXPECT_EQ(kSv39x4.entry_offset(1, ~0ULL), 511U * 8);
  EXPECT_EQ(kSv39.entry_offset(2, 3ULL << 39), 0U);
  EXPECT_EQ(kSv32x4.entry_offset(1, (1ULL << 34) - 1), 4095U * 4);
  EXPECT_EQ(kSv57x4.entry_offset(4, 1ULL << 58), 1024U * 8);
}

TEST(Paging, FirstStageWantsSignExtension) {
  EXPECT_TRUE(first_stage_accepts(kSv39, 0x3fffffffffULL));
  EXPECT_FALSE(first_stage_accepts(kSv39, 0x4000000000ULL));
  EXPECT_TRUE(first_stage_accepts(kSv39, 0xffffffc000000000ULL));
  EXPECT_FALSE(first_stage_accepts(kSv39, 0xffffff8000000000ULL));
  EXPECT_FALSE(first_stage_accepts(kSv39, 0x8000004000000000ULL));
  EXPECT_TRUE(first_stage_accepts(kSv48, 0xffff800000000000ULL));
  EXPECT_FALSE(first_stage_accepts(kSv48, 0x0000800000000000ULL));
  EXPECT_TRUE(first_stage_accepts(kSv57, 0xff00000000000000ULL));
  EXPECT_FALSE(first_stage_accepts(kSv57, 0x0100000000000000ULL));
  EXPECT_TRUE(first_stage_accepts(kSv32, 0xffffffffULL));
  EXPECT_FALSE(first_stage_accepts(kSv32, 0x100000000ULL));
  EXPECT_FALSE(first_stage_accepts(kSv32, 0xffffffff80000000ULL));
}

TEST(Paging, SecondStageWantsZerosAbove) {
  EXPECT_TRUE(second_stage_accepts(kSv39x4, (1ULL << 41) - 1));
  EXPECT_FALSE(second_stage_accepts(kSv39x4, 1ULL << 41));
  EXPECT_FALSE(second_stage_accepts(kSv39x4, 1ULL << 63));
  EXPECT_TRUE(second_stage_accepts(kSv48x4, (1ULL << 50) - 1));
  EXPECT_FALSE(second_stage_accepts(kSv48x4, 1ULL << 50));
  EXPECT_FALSE(second_stage_accepts(kSv57x4, 1ULL << 59));
  EXPECT_FALSE(second_stage_accepts(kSv32x4, 1ULL << 34));
}

TEST(Paging, EncodingsSelectTheMode) {
  EXPECT_TRUE(first_stage_paging(iosatp_mode::kBare, false).bare());
  EXPECT_EQ(first_stage_paging(8, false).address_bits, 39);
  EXPECT_EQ(first_stage_paging(8, true).address_bits, 32);
  EXPECT_EQ(first_stage_paging(10, false).levels, 5);
  EXPECT_EQ(second_stage_paging(8, false).address_bits, 41);
  EXPECT_EQ(second_stage_paging(8, true).address_bits, 34);
  EXPECT_EQ(second_stage_paging(9, false).address_bits, 50);
  EXPECT_EQ(second_stage_paging(10, false).address_bits, 59);
  EXPECT_TRUE(second_stage_paging(0, true).bare());
}

}  // namespace iommusim::spec
