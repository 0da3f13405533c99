// SPDX-License-Identifier: Apache-2.0
#include "tlm/rate.h"

#include <rapidcheck/gtest.h>

namespace iommusim::bus {
namespace {

TEST(Rate, RoundsUpOnlyWhatIsLookedAt) {
  const Rate rate(3'000'000'000);
  const Moment one = rate.after({}, 1);
  EXPECT_EQ(one.rounded_up(), 334U);
  EXPECT_EQ(rate.after(one, 2).rounded_up(), 1000U);
}

TEST(Rate, ZeroIsNoLimit) { EXPECT_EQ(Rate(0).after({5, 0}, 1 << 20).rounded_up(), 5U); }

TEST(Rate, LaterTakesTheLater) {
  EXPECT_EQ(Rate::later({7, 1}, 7).rounded_up(), 8U);
  EXPECT_EQ(Rate::later({7, 1}, 8).rounded_up(), 8U);
  EXPECT_EQ(Rate::later({9, 0}, 8).rounded_up(), 9U);
}

RC_GTEST_PROP(Rate, CuttingATransferChangesNothing, ()) {
  const Rate rate(*rc::gen::inRange<std::uint64_t>(1, Rate::kMaxBytesPerSecond));
  const auto first = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
  const auto second = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
  const Moment cut = rate.after(rate.after({}, first), second);
  const Moment whole = rate.after({}, first + second);
  RC_ASSERT(cut.whole == whole.whole);
  RC_ASSERT(cut.part == whole.part);
}

}  // namespace
}  // namespace iommusim::bus
