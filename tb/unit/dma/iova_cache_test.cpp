// SPDX-License-Identifier: Apache-2.0
// IovaCache: two magazines a processor, a depot for all, and a surplus when both are full.
#include "dma/iova_cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "hal/thread_os.h"

namespace iommusim::dma {
namespace {

struct IovaCacheTest : ::testing::Test {
  IovaOptions options() {
    IovaOptions options;
    options.magazine_entries = 3;
    options.depot_magazines = 1;
    return options;
  }
  std::size_t put(std::uint64_t first, unsigned cpu = 0) {
    IovaCache::Magazine surplus;
    cache.put(first, cpu, surplus);
    return surplus.size();
  }
  hal::ThreadOs os;
  Statistics statistics;
  IovaCache cache{os, options(), 2, statistics};
};

TEST_F(IovaCacheTest, TheNewestComesFirst) {
  EXPECT_EQ(cache.get(1, ~0ULL, 0), 0U);
  for (std::uint64_t first : {1U, 2U, 3U, 4U}) EXPECT_EQ(put(first), 0U);
  EXPECT_EQ(cache.get(1, ~0ULL, 0), 4U);
  EXPECT_EQ(cache.get(1, ~0ULL, 0), 3U);
  EXPECT_EQ(statistics.cache_hits.value(), 2U);
}

TEST_F(IovaCacheTest, AProcessorHasItsOwn) {
  EXPECT_EQ(put(7, 0), 0U);
  EXPECT_EQ(cache.get(1, ~0ULL, 1), 0U);
  EXPECT_EQ(cache.get(1, ~0ULL, 0), 7U);
}

TEST_F(IovaCacheTest, FullMagazinesGoToTheDepotAndFromThereToOtherProcessors_magazine_entries) {
  for (std::uint64_t first = 1; first <= 6; ++first) EXPECT_EQ(put(first), 0U);
  EXPECT_EQ(cache.get(1, ~0ULL, 1), 0U);  // two full magazines: still the processor's
  EXPECT_EQ(put(7), 0U);                  // the seventh does not fit: one goes to the depot
  EXPECT_NE(cache.get(1, ~0ULL, 1), 0U);
  EXPECT_EQ(statistics.depot_hits.value(), 1U);
}

TEST_F(IovaCacheTest, WhatTheDepotCannotHoldComesBack_depot_magazines) {
  for (std::uint64_t first = 1; first <= 9; ++first) EXPECT_EQ(put(first), 0U);
  EXPECT_EQ(put(10), 3U);
}

TEST_F(IovaCacheTest, KeepsTheLimit) {
  for (std::uint64_t first : {8U, 16U, 24U}) (void)put(first);
  EXPECT_EQ(cache.get(8, 14, 0), 0U);
  EXPECT_EQ(cache.get(8, 15, 0), 8U);
  EXPECT_EQ(cache.get(8, 23, 0), 16U);
  EXPECT_EQ(cache.get(8, 31, 0), 24U);
}

TEST_F(IovaCacheTest, DrainsEverything) {
  for (std::uint64_t first = 1; first <= 8; ++first) (void)put(first, first > 7 ? 1 : 0);
  IovaCache::Magazine all;
  cache.drain(all);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (IovaCache::Magazine{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(cache.get(1, ~0ULL, 0), 0U);
}

}  // namespace
}  // namespace iommusim::dma
