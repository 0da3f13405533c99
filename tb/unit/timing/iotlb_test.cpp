// SPDX-License-Identifier: Apache-2.0
#include "timing/iotlb.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

struct IotlbTest : ::testing::Test {
  stats::Group root{"root"};
  IotlbStats stats{root, "iotlb"};
  CacheParams params{};
  PrefetchStats prefetch{root, "prefetch"};
  Iotlb iotlb{params, 0, stats, prefetch};
  const translate::TranslationEntry* probe(const translate::TranslationKey& key) { return iotlb.probe(key).entry; }

  static translate::TranslationKey key(std::uint64_t iova, std::uint32_t pscid = 1, bool write = false) {
    translate::TranslationKey key;
    key.tag.first_stage = true;
    key.tag.pscid = base::Pscid(pscid);
    key.iova = iova;
    key.is_write = write;
    return key;
  }
  static translate::TranslationEntry entry(std::uint64_t spa, unsigned size_log2 = 12) {
    translate::TranslationEntry entry;
    entry.spa = spa;
    entry.size_log2 = static_cast<std::uint8_t>(size_log2);
    entry.first.active = entry.first.read = entry.first.write = entry.first.user = entry.first.dirty = true;
    entry.first.size_log2 = entry.size_log2;
    return entry;
  }
};

TEST_F(IotlbTest, FindsAnyAddressOfThePage) {
  iotlb.fill(key(0x5000), entry(0x9000));
  ASSERT_NE(probe(key(0x5abc)), nullptr);
  EXPECT_EQ(probe(key(0x5abc))->spa, 0x9000U);
  EXPECT_EQ(probe(key(0x6000)), nullptr);
  EXPECT_EQ(probe(key(0x5abc, 2)), nullptr);
  EXPECT_EQ(stats.hits.value(), 2U);
  EXPECT_EQ(stats.misses.value(), 2U);
}

TEST_F(IotlbTest, HoldsSizesSideBySide) {
  iotlb.fill(key(0x200000), entry(0x400000, 21));
  iotlb.fill(key(0x5000), entry(0x9000));
  EXPECT_EQ(probe(key(0x3ff000))->spa, 0x400000U);
  EXPECT_EQ(probe(key(0x5000))->spa, 0x9000U);
  EXPECT_EQ(stats.hits_2m.value(), 1U);
  EXPECT_EQ(stats.hits_4k.value(), 1U);
}

TEST_F(IotlbTest, MissesForAWriteWhenDirtyIsClear) {
  auto clean = entry(0x9000);
  clean.first.dirty = false;
  iotlb.fill(key(0x5000), clean);
  EXPECT_NE(probe(key(0x5000)), nullptr);
  EXPECT_EQ(probe(key(0x5000, 1, true)), nullptr);
  iotlb.fill(key(0x5000), entry(0x9000));
  EXPECT_NE(probe(key(0x5000, 1, true)), nullptr);
}

TEST_F(IotlbTest, GlobalEntriesServeEveryPscid) {
  auto global = entry(0x9000);
  global.first.global = true;
  iotlb.fill(key(0x5000, 1), global);
  EXPECT_NE(probe(key(0x5000, 2)), nullptr);
}

TEST_F(IotlbTest, AnInvalidatedPageMissesAndItsNeighbourHits) {
  iotlb.fill(key(0x5000), entry(0x9000));
  iotlb.fill(key(0x6000), entry(0xa000));
  translate::Invalidation invalidation;
  invalidation.address_valid = invalidation.pscid_valid = true;
  invalidation.address = 0x5000;
  invalidation.pscid = base::Pscid(1);
  iotlb.invalidate(invalidation);
  EXPECT_EQ(probe(key(0x5000)), nullptr);
  EXPECT_NE(probe(key(0x6000)), nullptr);
  EXPECT_EQ(stats.invalidated.value(), 1U);
}

}  // namespace
}  // namespace iommusim::timing
