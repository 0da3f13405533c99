// SPDX-License-Identifier: Apache-2.0
// Edit distance is a metric, and the nearest name has the smallest of them.
#include "base/nearest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::base {
namespace {

TEST(Nearest, CountsSingleCharacterEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("entires", "entries"), 2U);
  EXPECT_EQ(edit_distance("way", "ways"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

RC_GTEST_PROP(Nearest, DistanceIsAMetric, (const std::string& a, const std::string& b, const std::string& c)) {
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT((edit_distance(a, b) == 0U) == (a == b));
  RC_ASSERT(edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c));
}

TEST(Nearest, PicksTheClosestAndTheFirstOfEquals) {
  EXPECT_EQ(nearest_name("entires", {"ways", "entries", "policy"}), "entries");
  EXPECT_EQ(nearest_name("x", {"a", "b"}), "a");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace iommusim::base
