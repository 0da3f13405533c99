// SPDX-License-Identifier: Apache-2.0
#include "tlm/last_level_cache.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

constexpr auto kIommu = MemoryClient::kIommu;
constexpr auto kDma = MemoryClient::kDma;
constexpr auto kProcessor = MemoryClient::kProcessor;

/// Two sets of two lines of 64 bytes; a hit takes 5 ns, the cells 50 ns.
LastLevelCacheParams tiny() {
  LastLevelCacheParams params;
  params.bytes = 256;
  params.ways = 2;
  params.hit_ns = 5;
  params.allocate_dma_reads = true;
  return params;
}

struct CacheBench {
  explicit CacheBench(const LastLevelCacheParams& params) : dram(cells(), 1, stats), cache(params, 1, dram, stats) {}
  ~CacheBench() { stats::check_identities(stats); }
  static DramParams cells() {
    DramParams params;
    params.latency_ns = 50;
    return params;
  }
  std::uint64_t read(MemoryClient client, std::uint64_t address, std::uint64_t at, std::uint32_t bytes = 64) {
    return cache.access(client, false, address, bytes, at) - at;
  }
  std::uint64_t write(MemoryClient client, std::uint64_t address, std::uint64_t at, std::uint32_t bytes = 64) {
    return cache.access(client, true, address, bytes, at) - at;
  }
  stats::Group stats{"test"};
  Dram dram;
  LastLevelCache cache;
};

TEST(LastLevelCache, HitNs) {
  CacheBench bench(tiny());
  EXPECT_EQ(bench.read(kIommu, 0, 0, 8), 55'000U);
  EXPECT_EQ(bench.read(kIommu, 56, 100'000, 8), 5'000U);
  EXPECT_EQ(bench.read(kDma, 0, 200'000), 5'000U);  // walks and DMA share it
}

TEST(LastLevelCache, ALineOnItsWayServesWhenItIsThere) {
  CacheBench bench(tiny());
  EXPECT_EQ(bench.read(kIommu, 0, 0), 55'000U);
  EXPECT_EQ(bench.read(kIommu, 0, 20'000), 35'000U);
  EXPECT_EQ(bench.read(kIommu, 0, 49'999), 5'001U);
  EXPECT_EQ(bench.read(kIommu, 0, 50'000), 5'000U);
}

TEST(LastLevelCache, BytesAndWays) {
  CacheBench bench(tiny());
  for (const std::uint64_t line : {0, 2, 4}) bench.read(kIommu, line * 64, 0);  // one set of two
  EXPECT_EQ(bench.read(kIommu, 64, 1'000'000), 55'000U);
  EXPECT_EQ(bench.read(kIommu, 2 * 64, 1'000'000), 5'000U);
  EXPECT_EQ(bench.read(kIommu, 0, 1'000'000), 55'000U);
  auto params = tiny();
  params.ways = 4;
  CacheBench full(params);
  for (const std::uint64_t line : {0, 2, 4}) full.read(kIommu, line * 64, 0);
  EXPECT_EQ(full.read(kIommu, 0, 1'000'000), 5'000U);
}

TEST(LastLevelCache, LineBytes) {
  auto params = tiny();
  params.line_bytes = 128;
  params.ways = 1;
  CacheBench bench(params);
  EXPECT_EQ(bench.read(kIommu, 0, 0), 55'000U);
  EXPECT_EQ(bench.read(kIommu, 64, 100'000), 5'000U);
  EXPECT_EQ(bench.read(kIommu, 100, 200'000, 64), 55'000U);  // into the next line
}

TEST(LastLevelCache, Policy) {
  auto params = tiny();
  params.policy = timing::Policy::kFifo;
  CacheBench bench(params);
  bench.read(kIommu, 0, 0);
  bench.read(kIommu, 128, 0);
  bench.read(kIommu, 0, 100'000);  // used again, which this policy does not see
  bench.read(kIommu, 256, 100'000);
  EXPECT_EQ(bench.read(kIommu, 0, 200'000), 55'000U);
}

TEST(LastLevelCache, AllocateIommu) {
  auto params = tiny();
  params.allocate_iommu = false;
  CacheBench bench(params);
  bench.read(kIommu, 0, 0);
  EXPECT_EQ(bench.read(kIommu, 0, 100'000), 55'000U);
  bench.read(kProcessor, 0, 200'000);
  EXPECT_EQ(bench.read(kIommu, 0, 300'000), 5'000U);  // it looks, all the same
}

TEST(LastLevelCache, AllocateDmaReads) {
  auto params = tiny();
  params.allocate_dma_reads = false;
  CacheBench bench(params);
  bench.read(kDma, 0, 0);
  EXPECT_EQ(bench.read(kDma, 0, 100'000), 55'000U);
}

TEST(LastLevelCache, AllocateDmaWrites) {
  CacheBench bench(tiny());
  EXPECT_EQ(bench.write(kDma, 0, 0), 5'000U);
  EXPECT_EQ(bench.read(kIommu, 0, 10'000), 5'000U);  // a whole line needs nothing of the cells
  EXPECT_EQ(bench.write(kDma, 64, 0, 8), 5'000U);
  EXPECT_EQ(bench.read(kIommu, 64, 10'000), 45'000U);  // a part of a line fetches the rest
  auto params = tiny();
  params.allocate_dma_writes = false;
  CacheBench without(params);
  EXPECT_EQ(without.write(kDma, 0, 0), 55'000U);
  EXPECT_EQ(without.read(kIommu, 0, 100'000), 55'000U);
  EXPECT_EQ(without.write(kDma, 0, 200'000), 55'000U);  // through, also when it is there
  EXPECT_EQ(without.read(kIommu, 0, 300'000), 5'000U);
}

TEST(LastLevelCache, WrittenLinesGoBack) {
  CacheBench bench(tiny());
  bench.write(kDma, 0, 0);
  bench.read(kIommu, 128, 0);
  bench.read(kIommu, 256, 0);  // takes the place of the written line
  bench.read(kIommu, 384, 0);  // and this of one that was only read
  EXPECT_EQ(bench.cache.statistics().write_backs.value(), 1U);
  EXPECT_EQ(bench.dram.statistics().accesses.value(), 4U);
}

TEST(LastLevelCache, RefusesGeometriesThatCannotBe) {
  auto params = tiny();
  params.bytes = 192;
  EXPECT_THROW(CacheBench{params}, base::InputError);
  params = tiny();
  params.line_bytes = 48;
  EXPECT_THROW(CacheBench{params}, base::InputError);
}

}  // namespace
}  // namespace iommusim::bus
