// SPDX-License-Identifier: Apache-2.0
#include "timing/replacement.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"

namespace iommusim::timing {
namespace {

TEST(Lru, EvictsTheLeastRecentlyUsedWay) {
  const auto lru = make_replacement(Policy::kLru, 1, 4, 0);
  for (std::uint32_t way = 0; way < 4; ++way) lru->fill(0, way);
  lru->hit(0, 0);
  EXPECT_EQ(lru->victim(0), 1U);
  lru->hit(0, 1);
  EXPECT_EQ(lru->victim(0), 2U);
  lru->hit(0, 2);
  lru->hit(0, 3);
  EXPECT_EQ(lru->victim(0), 0U);
}

TEST(Lru, SetsAreIndependent) {
  const auto lru = make_replacement(Policy::kLru, 2, 2, 0);
  lru->fill(0, 0);
  lru->fill(0, 1);
  lru->fill(1, 1);
  lru->fill(1, 0);
  EXPECT_EQ(lru->victim(0), 0U);
  EXPECT_EQ(lru->victim(1), 1U);
}

TEST(Lru, OneWayIsItsOwnVictim) {
  const auto lru = make_replacement(Policy::kLru, 1, 1, 0);
  lru->fill(0, 0);
  lru->hit(0, 0);
  EXPECT_EQ(lru->victim(0), 0U);
}

TEST(TreePlru, PointsAwayFromTheLastUse) {
  const auto plru = make_replacement(Policy::kTreePlru, 1, 4, 0);
  for (std::uint32_t way = 0; way < 4; ++way) plru->fill(0, way);
  EXPECT_EQ(plru->victim(0), 0U);  // the last use was in the upper half
  plru->hit(0, 0);
  EXPECT_EQ(plru->victim(0), 2U);  // upper half again, away from way 3
  plru->hit(0, 2);
  EXPECT_EQ(plru->victim(0), 1U);
}

TEST(TreePlru, NeedsAPowerOfTwo) { EXPECT_THROW(make_replacement(Policy::kTreePlru, 1, 6, 0), base::InputError); }

TEST(Fifo, IgnoresHits) {
  const auto fifo = make_replacement(Policy::kFifo, 1, 3, 0);
  for (std::uint32_t way : {2U, 0U, 1U}) fifo->fill(0, way);
  fifo->hit(0, 2);
  EXPECT_EQ(fifo->victim(0), 2U);
  fifo->fill(0, 2);
  EXPECT_EQ(fifo->victim(0), 0U);
}

TEST(RandomWay, ReachesEveryWayAndRepeatsWithItsSeed) {
  const auto a = make_replacement(Policy::kRandom, 1, 8, 7);
  const auto b = make_replacement(Policy::kRandom, 1, 8, 7);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 400; ++i) {
    const std::uint32_t way = a->victim(0);
    EXPECT_EQ(way, b->victim(0));
    seen.insert(way);
  }
  EXPECT_EQ(seen.size(), 8U);
}

}  // namespace
}  // namespace iommusim::timing
