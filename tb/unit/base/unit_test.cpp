// SPDX-License-Identifier: Apache-2.0
// Every unit has a name of its own.
#include "base/unit.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace iommusim::base {
namespace {

TEST(UnitName, IsUniqueAndNeverUnknown) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(Unit::kRatio); ++i) {
    const std::string name = unit_name(static_cast<Unit>(i));
    EXPECT_NE(name, "?");
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_STREQ(unit_name(Unit::kNs), "ns");
}

}  // namespace
}  // namespace iommusim::base
