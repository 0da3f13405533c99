// SPDX-License-Identifier: Apache-2.0
// RateLimit: the burst, not one more, and again exactly when the interval is over.
#include "hal/rate_limit.h"

namespace iommusim::hal {
namespace {

TEST(RateLimit, AllowsABurstEachInterval) {
  RateLimit limit(100, 2);
  EXPECT_TRUE(limit.allow(1000));
  EXPECT_TRUE(limit.allow(1050));
  EXPECT_FALSE(limit.allow(1099));
  EXPECT_TRUE(limit.allow(1100));
  EXPECT_EQ(limit.suppressed(), 1U);
}

}  // namespace
}  // namespace iommusim::hal
