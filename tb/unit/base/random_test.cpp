// SPDX-License-Identifier: Apache-2.0
// The same numbers on every machine, and ranges that are kept.
#include "base/random.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::base {
namespace {

TEST(Random, IsTheStandardsGenerator) {
  Random random(std::mt19937_64::default_seed);
  std::uint64_t last = 0;
  for (int i = 0; i < 10000; ++i) last = random.next();
  EXPECT_EQ(last, 9981545732273789042ULL);  // [rand.predef] gives the 10000th value
}

RC_GTEST_PROP(Random, StaysBelowItsBound, (std::uint64_t seed, std::uint64_t bound)) {
  RC_PRE(bound != 0U);
  Random random(seed);
  for (int i = 0; i < 20; ++i) RC_ASSERT(random.below(bound) < bound);
}

TEST(Random, ReachesEveryValueOfASmallRange) {
  Random random(1);
  int seen[5] = {};
  for (int i = 0; i < 5000; ++i) ++seen[random.below(5)];
  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
}

TEST(Random, ChanceIsItsFraction) {
  Random random(2);
  int hits = 0;
  for (int i = 0; i < 8000; ++i) hits += random.chance(1, 4) ? 1 : 0;
  EXPECT_NEAR(hits, 2000, 200);
  EXPECT_FALSE(random.chance(0, 1));
  EXPECT_TRUE(random.chance(1, 1));
}

}  // namespace
}  // namespace iommusim::base
