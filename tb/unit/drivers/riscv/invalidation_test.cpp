// SPDX-License-Identifier: Apache-2.0
// Pieces of ranges: exact, aligned, few.
#include "drivers/riscv/invalidation.h"

#include <rapidcheck/gtest.h>

namespace iommusim::drivers::riscv {
namespace {

std::vector<std::pair<std::uint64_t, unsigned>> all_pieces(std::uint64_t start, std::uint64_t last, bool ranges) {
  std::vector<std::pair<std::uint64_t, unsigned>> list;
  for_each_piece(start, last, ranges, [&](std::uint64_t at, unsigned log2) {
    list.emplace_back(at, log2);
    return 0;
  });
  return list;
}

TEST(Invalidation, WithoutRangesEachPageIsAPiece) {
  EXPECT_EQ(all_pieces(0x10000, 0x12fff, false).size(), 3U);
  EXPECT_EQ(pieces(0, (2ULL << 20) - 1, false, 1000), 512U);
}

TEST(Invalidation, AnAlignedRangeIsOnePiece) {
  EXPECT_EQ(all_pieces(0x10000, 0x13fff, true), (std::vector<std::pair<std::uint64_t, unsigned>>{{0x10000, 14}}));
  EXPECT_EQ(all_pieces(0x1000, 0x5fff, true),
            (std::vector<std::pair<std::uint64_t, unsigned>>{{0x1000, 12}, {0x2000, 13}, {0x4000, 13}}));
}

TEST(Invalidation, CountsNoFurtherThanTheLimit) { EXPECT_EQ(pieces(0, 1ULL << 40, false, 16), 17U); }

RC_GTEST_PROP(Invalidation, PiecesCoverTheRangeExactlyInOrder, ()) {
  const std::uint64_t start = *rc::gen::inRange<std::uint64_t>(0, 1ULL << 44) << 12;
  const std::uint64_t pages = 1 + *rc::gen::inRange<std::uint64_t>(0, 1ULL << *rc::gen::inRange(1, 30));
  std::uint64_t next = start;
  const auto list = all_pieces(start, start + pages * 4096 - 1, true);
  for (const auto& [at, log2] : list) {
    RC_ASSERT(at == next);
    RC_ASSERT(at % (1ULL << log2) == 0U);
    next += 1ULL << log2;
  }
  RC_ASSERT(next == start + pages * 4096);
  RC_ASSERT(list.size() <= 2 * 44U);
}

TEST(Invalidation, AnErrorEndsIt) {
  unsigned calls = 0;
  EXPECT_EQ(for_each_piece(0, 0xffff, false, [&](std::uint64_t, unsigned) { return ++calls == 3 ? 5 : 0; }), 5);
  EXPECT_EQ(calls, 3U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv
