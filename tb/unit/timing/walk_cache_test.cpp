// SPDX-License-Identifier: Apache-2.0
#include "timing/walk_cache.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

struct WalkCacheTest : ::testing::Test {
  stats::Group root{"root"};
  EngineStats::WalkCacheStats stats{root, "walk_cache"};
  WalkCacheParams params{};

  static translate::WalkKey key(std::uint64_t iova, unsigned level = 0) {
    translate::WalkKey key;
    key.tag.first_stage = true;
    key.tag.pscid = base::Pscid(1);
    key.levels = 3;
    key.level = static_cast<std::uint8_t>(level);
    key.address = iova;
    return key;
  }
  static translate::WalkEntry entry(unsigned level, std::uint64_t table) {
    translate::WalkEntry entry;
    entry.level = static_cast<std::uint8_t>(level);
    entry.table = table;
    return entry;
  }
};

TEST_F(WalkCacheTest, AnswersWithTheEntryNearestToTheLeaf) {
  WalkCache cache(params, 0, stats);
  cache.fill(key(0x40200000, 2), entry(2, 0x1000));
  ASSERT_NE(cache.probe(key(0x40200000)), nullptr);
  EXPECT_EQ(cache.probe(key(0x40200000))->level, 2);
  cache.fill(key(0x40200000, 1), entry(1, 0x2000));
  EXPECT_EQ(cache.probe(key(0x403ff000))->table, 0x2000U);  // the same 2 MiB
  EXPECT_EQ(cache.probe(key(0x40400000))->table, 0x1000U);  // another 2 MiB of the same 1 GiB
  EXPECT_EQ(cache.probe(key(0x80000000)), nullptr);
}

TEST_F(WalkCacheTest, CountsEachLevelThatWasProbed) {
  WalkCache cache(params, 0, stats);
  cache.fill(key(0, 2), entry(2, 0x1000));
  cache.probe(key(0));
  EXPECT_EQ(stats.at(false, 1).misses.value(), 1U);
  EXPECT_EQ(stats.at(false, 2).hits.value(), 1U);
  EXPECT_EQ(stats.at(true, 1).lookups.value(), 0U);
}

TEST_F(WalkCacheTest, ALevelWithoutEntriesIsNotProbed) {
  params.first_stage.level1.entries = 0;
  WalkCache cache(params, 0, stats);
  cache.fill(key(0, 1), entry(1, 0x1000));
  EXPECT_EQ(cache.probe(key(0)), nullptr);
  EXPECT_EQ(stats.at(false, 1).lookups.value(), 0U);
}

TEST_F(WalkCacheTest, AWholeSpaceInvalidationEmptiesIt) {
  WalkCache cache(params, 0, stats);
  cache.fill(key(0, 1), entry(1, 0x1000));
  translate::Invalidation invalidation;
  invalidation.pscid_valid = true;
  invalidation.pscid = base::Pscid(1);
  cache.invalidate(invalidation);
  EXPECT_EQ(cache.probe(key(0)), nullptr);
}

}  // namespace
}  // namespace iommusim::timing
