// SPDX-License-Identifier: Apache-2.0
// IovaAllocator: small sizes are rounded and cached, large ones are not; nothing overlaps; everything comes back.
#include "dma/iova_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "hal/thread_os.h"

namespace iommusim::dma {
namespace {

struct Bench {
  explicit Bench(IovaOptions options = {}, std::uint32_t cpus = 1) : allocator(os, options, cpus, statistics) {}
  IovaRange get(std::uint64_t pages, std::uint64_t limit = 0xfffff, unsigned cpu = 0) {
    IovaRange range;
    return allocator.allocate(pages, limit, false, true, cpu, range) ? range : IovaRange{};
  }
  hal::ThreadOs os;
  Statistics statistics;
  IovaAllocator allocator;
};

TEST(IovaAllocator, ACachedSizeComesBackWithoutASearch) {
  Bench bench;
  const IovaRange range = bench.get(3);
  EXPECT_EQ(range.first, 0xffffcU);
  bench.allocator.free(range, 0);
  EXPECT_EQ(bench.get(4).first, range.first);  // 3 pages were rounded to 4
  EXPECT_EQ(bench.statistics.tree_searches.value(), 1U);
  EXPECT_EQ(bench.statistics.cache_hits.value(), 1U);
}

TEST(IovaAllocator, LargeSizesAreNotCached_cached_orders) {
  IovaOptions options;
  options.cached_orders = 3;
  Bench bench(options);
  bench.allocator.free(bench.get(4), 0);  // 2^2: the last that is cached
  EXPECT_EQ(bench.allocator.ranges(), 1U);
  bench.allocator.free(bench.get(5), 0);
  EXPECT_EQ(bench.allocator.ranges(), 1U);
  EXPECT_EQ(bench.get(5).first % 8, 0U);
  EXPECT_EQ(bench.statistics.tree_searches.value(), 3U);
}

TEST(IovaAllocator, CachesAreEmptiedBeforeItGivesUp) {
  Bench bench;
  std::vector<IovaRange> all;
  for (int i = 0; i < 15; ++i) all.push_back(bench.get(1, 15));
  for (const IovaRange& range : all) bench.allocator.free(range, 0);
  IovaRange range;
  EXPECT_FALSE(bench.allocator.allocate(8, 15, false, false, 0, range));
  EXPECT_TRUE(bench.allocator.allocate(8, 15, false, true, 0, range));
  EXPECT_EQ(range.first, 8U);
}

TEST(IovaAllocator, FixedRangesAreInNobodysWay) {
  Bench bench;
  const IovaRange fixed{0xfffff, 1, true};
  EXPECT_TRUE(bench.allocator.take(fixed));
  EXPECT_EQ(bench.get(1).first, 0xffffeU);
  bench.allocator.free(fixed, 0);
  EXPECT_TRUE(bench.allocator.take(fixed));
}

RC_GTEST_PROP(IovaAllocator, NeverOverlapsAndFreesEverything, ()) {
  IovaOptions options;
  options.magazine_entries = *rc::gen::inRange(1U, 4U);
  options.depot_magazines = *rc::gen::inRange(0U, 3U);
  options.cached_orders = *rc::gen::inRange(0U, 5U);
  Bench bench(options, 2);
  std::map<std::uint64_t, IovaRange> held;
  const auto count = *rc::gen::inRange(1, 120);
  for (int i = 0; i < count; ++i) {
    const auto cpu = *rc::gen::inRange(0U, 2U);
    if (!held.empty() && *rc::gen::inRange(0, 5) < 2) {
      auto at = held.begin();
      std::advance(at, *rc::gen::inRange<std::size_t>(0, held.size()));
      bench.allocator.free(at->second, cpu);
      held.erase(at);
      continue;
    }
    const auto pages = *rc::gen::inRange<std::uint64_t>(1, 20);
    const auto limit = *rc::gen::inRange<std::uint64_t>(40, 400);
    const IovaRange range = bench.get(pages, limit, cpu);
    if (range.pages == 0) continue;
    RC_ASSERT((range.pages == pages && range.last_page() <= limit));
    const auto above = held.lower_bound(range.first);
    RC_ASSERT((above == held.end() || above->first > range.last_page()));
    RC_ASSERT((above == held.begin() || std::prev(above)->second.last_page() < range.first));
    held.emplace(range.first, range);
  }
  for (const auto& [first, range] : held) bench.allocator.free(range, 0);
  bench.allocator.empty_caches();
  RC_ASSERT(bench.allocator.ranges() == 0U);
}

}  // namespace
}  // namespace iommusim::dma
