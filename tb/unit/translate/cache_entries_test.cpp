// SPDX-License-Identifier: Apache-2.0
#include "translate/cache_entries.h"

#include <gtest/gtest.h>

namespace iommusim::translate {

TEST(TranslationEntry, WriteIsServedWhenEveryStageIsDirtyOrDenies) {
  TranslationEntry entry;
  EXPECT_TRUE(serves(entry, true)) << "Bare stages have no D";
  entry.first.active = entry.first.write = true;
  EXPECT_TRUE(serves(entry, false));
  EXPECT_FALSE(serves(entry, true)) << "D = 0: the walk must set it or fault";
  entry.first.dirty = true;
  EXPECT_TRUE(serves(entry, true));
  entry.second.active = entry.second.write = true;
  EXPECT_FALSE(serves(entry, true));
  entry.second.write = false;
  EXPECT_TRUE(serves(entry, true)) << "a denial needs no walk";
}

TEST(AddressSpaceTag, EveryMemberDistinguishes) {
  const AddressSpaceTag tag{base::Gscid(1), base::Pscid(2), true, true};
  EXPECT_TRUE(tag == (AddressSpaceTag{base::Gscid(1), base::Pscid(2), true, true}));
  EXPECT_FALSE(tag == (AddressSpaceTag{base::Gscid(2), base::Pscid(2), true, true}));
  EXPECT_FALSE(tag == (AddressSpaceTag{base::Gscid(1), base::Pscid(3), true, true}));
  EXPECT_FALSE(tag == (AddressSpaceTag{base::Gscid(1), base::Pscid(2), false, true}));
  EXPECT_FALSE(tag == (AddressSpaceTag{base::Gscid(1), base::Pscid(2), true, false}));
}

}  // namespace iommusim::translate
