// SPDX-License-Identifier: Apache-2.0
#include "spec/field.h"

#include <gtest/gtest.h>

namespace iommusim::spec {

TEST(Field, GetsSetsAndMasks) {
  constexpr Field kField{10, 44};
  static_assert(kField.mask() == 0x3ffffffffffc00ULL);
  EXPECT_EQ(kField.get(0x123ULL << 10), 0x123U);
  EXPECT_EQ(kField.set(~0ULL, 0), ~kField.mask());
  EXPECT_EQ(kField.of(~0ULL), kField.mask());
  EXPECT_TRUE(kField.is_set(1ULL << 53));
  EXPECT_FALSE(kField.is_set(1ULL << 54));
}

TEST(Field, ReachesTheWholeWord) {
  constexpr Field kAll{0, 64};
  EXPECT_EQ(kAll.mask(), ~0ULL);
  EXPECT_EQ(kAll.set(5, 7), 7U);
}

}  // namespace iommusim::spec
