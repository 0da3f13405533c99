// SPDX-License-Identifier: Apache-2.0
// Gather: the hull of what was added.
#include "domain/domain.h"

namespace iommusim::domain {
namespace {

TEST(Gather, IsTheHullOfItsRanges) {
  Gather gather;
  EXPECT_TRUE(gather.empty());
  gather.add(0x5000, 0x5FFF);
  gather.add(0x2000, 0x2FFF);
  EXPECT_FALSE(gather.empty());
  EXPECT_EQ(gather.start, 0x2000U);
  EXPECT_EQ(gather.last, 0x5FFFU);
}

TEST(Gather, HoldsTheWholeAddressSpace) {
  Gather gather;
  gather.add(0, ~0ULL);
  EXPECT_FALSE(gather.empty());
}

}  // namespace
}  // namespace iommusim::domain
