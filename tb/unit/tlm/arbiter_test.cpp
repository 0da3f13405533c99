// SPDX-License-Identifier: Apache-2.0
#include "tlm/arbiter.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

/// Weights of contenders 0, 1, 2.
std::uint32_t weight_of(std::uint32_t contender) { return 3 - contender; }

std::vector<std::uint32_t> picks(Arbitration kind, const std::vector<std::uint32_t>& ready, int count) {
  Arbiter arbiter(kind);
  std::vector<std::uint32_t> out;
  for (int i = 0; i < count; ++i) out.push_back(arbiter.pick(ready, weight_of));
  return out;
}

using Order = std::vector<std::uint32_t>;

TEST(Arbiter, RoundRobinWhateverTheOrderOfTheReady) {
  EXPECT_EQ(picks(Arbitration::kRoundRobin, {2, 0, 1}, 5), (Order{0, 1, 2, 0, 1}));
  EXPECT_EQ(picks(Arbitration::kRoundRobin, {2, 0}, 3), (Order{0, 2, 0}));
}
TEST(Arbiter, WeightedGivesAsManyTurnsInARow) {
  EXPECT_EQ(picks(Arbitration::kWeighted, {0, 1, 2}, 8), (Order{0, 0, 0, 1, 1, 2, 0, 0}));
  EXPECT_EQ(picks(Arbitration::kWeighted, {2}, 2), (Order{2, 2}));
}
TEST(Arbiter, FixedTakesTheGreatestWeight) {
  EXPECT_EQ(picks(Arbitration::kFixed, {2, 1}, 3), (Order{1, 1, 1}));
  Arbiter equal(Arbitration::kFixed);
  const auto same = [](std::uint32_t) { return 1U; };
  EXPECT_EQ(equal.pick({0, 1}, same), 0U);
  EXPECT_EQ(equal.pick({0, 1}, same), 1U);
}
TEST(Arbiter, NobodyReadyIsAContradiction) {
  Arbiter arbiter(Arbitration::kRoundRobin);
  EXPECT_THROW(arbiter.pick({}, weight_of), base::Contradiction);
}

}  // namespace
}  // namespace iommusim::bus
