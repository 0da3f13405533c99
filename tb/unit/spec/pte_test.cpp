// SPDX-License-Identifier: Apache-2.0
#include "spec/pte.h"

#include <gtest/gtest.h>

namespace iommusim::spec {

constexpr std::uint64_t kLeafBits = 0xdf;  // V R W X U A D
constexpr std::uint64_t ppn_bits(std::uint64_t ppn) { return ppn << 10; }

PteKind kind_of(std::uint64_t word, unsigned level, bool svpbmt = false, bool svrsw = false) {
  return classify_pte(kSv39, word, level, reserved_pte_bits(kSv39, svpbmt, svrsw));
}

TEST(Pte, ValidityAndPermissionEncodings) {
  EXPECT_EQ(kind_of(kLeafBits & ~1ULL, 0), PteKind::kBad) << "V = 0";
  EXPECT_EQ(kind_of(0x5, 0), PteKind::kBad) << "W without R";
  EXPECT_EQ(kind_of(0xd, 0), PteKind::kBad) << "W and X without R";
  EXPECT_EQ(kind_of(0x9, 0), PteKind::kLeaf) << "execute only";
  EXPECT_EQ(kind_of(0x3, 2), PteKind::kLeaf);
  EXPECT_EQ(kind_of(0x1, 1), PteKind::kNonLeaf);
  EXPECT_EQ(kind_of(0x1, 0), PteKind::kBad) << "a pointer at the last level";
}

TEST(Pte, NonLeafReservedBits) {
  for (const unsigned bit : {4U, 6U, 7U, 61U, 62U, 63U})
    EXPECT_EQ(kind_of(1 | 1ULL << bit, 1, true), PteKind::kBad) << bit;
  EXPECT_EQ(kind_of(1 | 1ULL << 5, 1), PteKind::kNonLeaf) << "G is allowed";
  EXPECT_EQ(kind_of(1 | 3ULL << 8, 1), PteKind::kNonLeaf) << "RSW is ignored";
}

TEST(Pte, ReservedBitsByCapability) {
  for (unsigned bit = 54; bit <= 58; ++bit) EXPECT_EQ(kind_of(kLeafBits | 1ULL << bit, 0, true, true), PteKind::kBad);
  for (unsigned bit = 59; bit <= 60; ++bit) {
    EXPECT_EQ(kind_of(kLeafBits | 1ULL << bit, 0), PteKind::kBad);
    EXPECT_EQ(kind_of(kLeafBits | 1ULL << bit, 0, false, true), PteKind::kLeaf) << "Svrsw60t59b";
    EXPECT_EQ(kind_of(1 | 1ULL << bit, 1, false, true), PteKind::kNonLeaf) << "Svrsw60t59b";
  }
  EXPECT_EQ(kind_of(kLeafBits | 1ULL << 61, 0), PteKind::kBad) << "without Svpbmt";
  EXPECT_EQ(kind_of(kLeafBits | 1ULL << 61, 0, true), PteKind::kLeaf);
  EXPECT_EQ(kind_of(kLeafBits | 2ULL << 61, 2, true), PteKind::kLeaf);
  EXPECT_EQ(kind_of(kLeafBits | 3ULL << 61, 0, true), PteKind::kBad) << "memory type 3";
}

TEST(Pte, MisalignedSuperpage) {
  for (unsigned bit = 0; bit < 9; ++bit) EXPECT_EQ(kind_of(kLeafBits | ppn_bits(1ULL << bit), 1), PteKind::kBad) << bit;
  EXPECT_EQ(kind_of(kLeafBits | ppn_bits(1ULL << 9), 1), PteKind::kLeaf);
  EXPECT_EQ(kind_of(kLeafBits | ppn_bits(1ULL << 17), 2), PteKind::kBad);
  EXPECT_EQ(kind_of(kLeafBits | ppn_bits(1ULL << 18), 2), PteKind::kLeaf);
  EXPECT_EQ(classify_pte(kSv32, kLeafBits | ppn_bits(1ULL << 9), 1, 0), PteKind::kBad);
  EXPECT_EQ(classify_pte(kSv32, kLeafBits | ppn_bits(1ULL << 10), 1, 0), PteKind::kLeaf);
}

TEST(Pte, NapotIs64KiBAtTheLastLevelOnly) {
  constexpr std::uint64_t kN = 1ULL << 63;
  EXPECT_EQ(kind_of(kN | kLeafBits | ppn_bits(0x128), 0), PteKind::kLeaf);
  EXPECT_EQ(leaf_size_log2(kSv39, kN | kLeafBits | ppn_bits(0x128), 0), 16);
  EXPECT_EQ(leaf_page(kSv39, kN | kLeafBits | ppn_bits(0x128), 0), 0x120000U);
  for (const unsigned low : {0U, 1U, 2U, 4U, 9U, 12U, 15U})
    EXPECT_EQ(kind_of(kN | kLeafBits | ppn_bits(0x120 | low), 0), PteKind::kBad) << low;
  EXPECT_EQ(kind_of(kN | kLeafBits, 1), PteKind::kBad);
}

TEST(Pte, LeafGivesItsPageAndSize) {
  EXPECT_EQ(leaf_page(kSv39, kLeafBits | ppn_bits(0x40000), 2), 0x40000000U);
  EXPECT_EQ(leaf_size_log2(kSv39, kLeafBits, 2), 30);
  EXPECT_EQ(leaf_size_log2(kSv39, kLeafBits, 1), 21);
  EXPECT_EQ(leaf_size_log2(kSv32, kLeafBits, 1), 22);
  EXPECT_EQ(next_table(1 | ppn_bits(0xfffffffffff)), 0xfffffffffff000U);
}

}  // namespace iommusim::spec
