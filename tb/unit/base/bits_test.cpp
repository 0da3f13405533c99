// SPDX-License-Identifier: Apache-2.0
// Bit fields: the edges (width 0 and 64) and the laws that tie reading to writing.
#include "base/bits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::base {
namespace {

TEST(Bits, MaskHasExactlyTheLowBits) {
  EXPECT_EQ(mask_of(0), 0U);
  EXPECT_EQ(mask_of(1), 1U);
  EXPECT_EQ(mask_of(63), 0x7FFFFFFFFFFFFFFFU);
  EXPECT_EQ(mask_of(64), ~0ULL);
}

TEST(Bits, ReadsAFieldByPositionAndWidth) {
  EXPECT_EQ(bits(0xABCD, 4, 8), 0xBCU);
  EXPECT_EQ(bits(~0ULL, 0, 64), ~0ULL);
  EXPECT_TRUE(bit(1ULL << 63, 63));
  EXPECT_FALSE(bit(~(1ULL << 63), 63));
}

RC_GTEST_PROP(Bits, AFieldWrittenIsReadBackAndNothingElseMoves, (std::uint64_t word, std::uint64_t value)) {
  const auto lsb = *rc::gen::inRange(0U, 64U);
  const auto width = *rc::gen::inRange(0U, 65U - lsb);
  const std::uint64_t out = with_bits(word, lsb, width, value);
  RC_ASSERT(bits(out, lsb, width) == (value & mask_of(width)));
  RC_ASSERT((out & ~(mask_of(width) << lsb)) == (word & ~(mask_of(width) << lsb)));
}

TEST(Bits, AlignsDownAndUp) {
  EXPECT_EQ(align_down(0x1FFF, 0x1000), 0x1000U);
  EXPECT_EQ(align_down(0x2000, 0x1000), 0x2000U);
  EXPECT_EQ(align_up(0x2000, 0x1000), 0x2000U);
  EXPECT_EQ(align_up(0x2001, 0x1000), 0x3000U);
}

TEST(Bits, KnowsPowersOfTwo) {
  EXPECT_FALSE(is_power_of_two(0));
  EXPECT_TRUE(is_power_of_two(1));
  EXPECT_TRUE(is_power_of_two(1ULL << 63));
  EXPECT_FALSE(is_power_of_two(3));
}

RC_GTEST_PROP(Bits, Log2FloorBrackets, (std::uint64_t value)) {
  RC_PRE(value != 0U);
  const unsigned log = log2_floor(value);
  RC_ASSERT(value >> log == 1U);
}

}  // namespace
}  // namespace iommusim::base
