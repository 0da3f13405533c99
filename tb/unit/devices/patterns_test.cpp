// SPDX-License-Identifier: Apache-2.0
#include "devices/patterns.h"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/error.h"

namespace iommusim::devices {
namespace {

std::vector<Access> take(AccessPattern& pattern, unsigned count) {
  std::vector<Access> out;
  for (unsigned i = 0; i < count; ++i) out.push_back(pattern.next());
  return out;
}

std::vector<std::uint64_t> offsets(const std::vector<Access>& accesses, std::uint32_t stream = 0) {
  std::vector<std::uint64_t> out;
  for (const Access& access : accesses)
    if (access.stream == stream) out.push_back(access.offset);
  return out;
}

using Offsets = std::vector<std::uint64_t>;

TEST(Sequential, WrapsAtTheEndOfItsWindow) {
  SequentialParams params;
  params.window_bytes = 10000;
  params.request_bytes = 4000;
  EXPECT_EQ(offsets(take(*make_sequential(params, 100, 1), 5)), (Offsets{0, 4000, 0, 4000, 0}));
}

TEST(Sequential, StrideBytesAndShiftCoverTheWindow) {
  SequentialParams params;
  params.window_bytes = 4096;
  params.request_bytes = 512;
  params.stride_bytes = 1024;
  EXPECT_EQ(offsets(take(*make_sequential(params, 100, 1), 5)), (Offsets{0, 1024, 2048, 3072, 0}));
  params.shift = true;
  EXPECT_EQ(offsets(take(*make_sequential(params, 100, 1), 9)),
            (Offsets{0, 1024, 2048, 3072, 512, 1536, 2560, 3584, 0}));
}

TEST(Sequential, FlowsTakeTurnsOfABurst) {
  SequentialParams params;
  params.flows = 2;
  params.burst = 2;
  const auto pattern = make_sequential(params, 100, 1);
  std::vector<std::uint32_t> streams;
  for (const Access& access : take(*pattern, 6)) streams.push_back(access.stream);
  EXPECT_EQ(streams, (std::vector<std::uint32_t>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(offsets(take(*pattern, 2), 1), (Offsets{8192, 12288}));
}

TEST(Sequential, OwnSpacesStartAtTheSameIova) {
  SequentialParams params;
  params.flows = 3;
  params.window_bytes = 5000;
  EXPECT_EQ(make_sequential(params, 100, 1)->spaces(), 1U);
  EXPECT_EQ(make_sequential(params, 100, 1)->streams()[2].offset, 2 * 8192U);
  params.own_spaces = true;
  const auto pattern = make_sequential(params, 100, 1);
  EXPECT_EQ(pattern->spaces(), 3U);
  EXPECT_EQ(pattern->streams()[2].offset, 0U);
}

TilesParams small_image() {
  TilesParams params;
  params.width_bytes = 100;
  params.rows = 5;
  params.pitch_bytes = 128;
  params.tile_bytes = 64;
  params.tile_rows = 2;
  return params;
}

TEST(Tiles, RowsOfATileFollowEachOtherAndEdgesAreCut) {
  const auto pattern = make_tiles(small_image(), 100, 1);
  const auto accesses = take(*pattern, 11);
  EXPECT_EQ(offsets(accesses), (Offsets{0, 128, 64, 192, 256, 384, 320, 448, 512, 576, 0}));
  EXPECT_EQ(accesses[0].bytes, 64U);
  EXPECT_EQ(accesses[2].bytes, 36U);
  EXPECT_EQ(pattern->streams()[0].bytes, 4 * 128 + 100U);
}

TEST(Tiles, OrderOfColumns) {
  TilesParams params = small_image();
  params.order = TileOrder::kColumns;
  EXPECT_EQ(offsets(take(*make_tiles(params, 100, 1), 6)), (Offsets{0, 128, 256, 384, 512, 64}));
}

TEST(Tiles, OrderOfMortonVisitsEachTileOnce) {
  TilesParams params = small_image();
  params.order = TileOrder::kMorton;
  EXPECT_EQ(offsets(take(*make_tiles(params, 100, 1), 11)),
            (Offsets{0, 128, 64, 192, 256, 384, 320, 448, 512, 576, 0}));
  params.width_bytes = 384;
  params.pitch_bytes = 384;
  params.rows = 10;
  const auto pattern = make_tiles(params, 100, 1);
  std::set<std::uint64_t> seen;
  for (const Access& access : take(*pattern, 60)) seen.insert(access.offset);
  EXPECT_EQ(seen.size(), 60U);
}

TEST(Tiles, ReadPercentIsDrawnByTile) {
  TilesParams params = small_image();
  params.tile_bytes = 100;
  params.tile_rows = 5;
  const auto accesses = take(*make_tiles(params, 50, 3), 500);
  std::set<bool> kinds;
  for (std::size_t tile = 0; tile < 100; ++tile) {
    kinds.insert(accesses[5 * tile].write);
    for (std::size_t row = 0; row < 5; ++row) EXPECT_EQ(accesses[5 * tile + row].write, accesses[5 * tile].write);
  }
  EXPECT_EQ(kinds.size(), 2U);
}

TEST(Gpu, ABurstWaitsForTheOneBefore) {
  GpuParams params;
  params.wavefronts = 2;
  params.lanes = 4;
  params.coalesced_percent = 0;
  const auto accesses = take(*make_gpu(params, 100, 1), 17);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    EXPECT_EQ(accesses[i].after_all, i % 8 == 0) << i;
    EXPECT_EQ(accesses[i].think_ns, i % 8 == 0 && i != 0 ? 500U : 0U) << i;
    EXPECT_EQ(accesses[i].bytes, 32U);
    EXPECT_EQ(accesses[i].offset % 32, 0U);
  }
}

TEST(Gpu, CoalescedPercentMakesOneAccessOfAWavefront) {
  GpuParams params;
  params.coalesced_percent = 100;
  for (const Access& access : take(*make_gpu(params, 100, 1), 50)) {
    EXPECT_EQ(access.bytes, 128U);
    EXPECT_EQ(access.offset % 128, 0U);
  }
}

TEST(Gpu, ScatterBytesBoundAWavefront) {
  GpuParams params;
  params.coalesced_percent = 0;
  params.scatter_bytes = 65536;
  const auto accesses = take(*make_gpu(params, 100, 1), 320);
  std::set<std::uint64_t> blocks;
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    EXPECT_EQ(accesses[i].offset / 65536, accesses[i / 32 * 32].offset / 65536);
    blocks.insert(accesses[i].offset / 65536);
  }
  EXPECT_GT(blocks.size(), 5U);
}

PatternParams two_tenants() {
  PatternParams params;
  params.tenants.tenants = 2;
  params.tenants.patterns = {"sequential", "gpu"};
  params.sequential.flows = 2;
  return params;
}

TEST(Tenants, EachHasASpaceAndItsPattern) {
  const PatternParams params = two_tenants();
  const auto pattern = make_tenants(params, 1);
  ASSERT_EQ(pattern->streams().size(), 3U);
  EXPECT_EQ(pattern->spaces(), 2U);
  EXPECT_EQ(pattern->streams()[1].space, 0U);
  EXPECT_EQ(pattern->streams()[2].space, 1U);
  std::vector<std::uint32_t> streams;
  for (const Access& access : take(*pattern, 5)) streams.push_back(access.stream);
  EXPECT_EQ(streams, (std::vector<std::uint32_t>{0, 2, 1, 2, 0}));
}

TEST(Tenants, SameIovasOrOneAfterTheOther) {
  PatternParams params = two_tenants();
  EXPECT_EQ(make_tenants(params, 1)->streams()[2].offset, 0U);
  params.tenants.same_iovas = false;
  EXPECT_EQ(make_tenants(params, 1)->streams()[2].offset, 2U << 20);
}

TEST(Tenants, WeightsByTurnOrByChance) {
  PatternParams params;
  params.tenants.weights = {1, 3};
  const auto share = [&](TenantOrder order) {
    params.tenants.order = order;
    std::array<unsigned, 4> of{};
    const auto pattern = make_tenants(params, 1);
    for (const Access& access : take(*pattern, 8000)) ++of[access.stream];
    return of;
  };
  EXPECT_EQ(share(TenantOrder::kRoundRobin), (std::array<unsigned, 4>{1000, 3000, 1000, 3000}));
  const auto drawn = share(TenantOrder::kRandom);
  EXPECT_NEAR(drawn[0], 1000, 150);
  EXPECT_NEAR(drawn[3], 3000, 250);
}

TEST(Patterns, ParametersThatContradictEachOther) {
  PatternParams params = two_tenants();
  params.sequential.own_spaces = true;
  EXPECT_THROW(make_pattern(PatternKind::kTenants, params, 1), base::InputError);
  params.tenants.patterns = {"tenants"};
  EXPECT_THROW(make_pattern(PatternKind::kTenants, params, 1), base::InputError);
  params.tiles.pitch_bytes = 100;
  EXPECT_THROW(make_pattern(PatternKind::kTiles, params, 1), base::InputError);
  params.gpu.scatter_bytes = params.gpu.window_bytes + 1;
  EXPECT_THROW(make_pattern(PatternKind::kGpu, params, 1), base::InputError);
  params.sequential.request_bytes = 1 << 21;
  EXPECT_THROW(make_pattern(PatternKind::kSequential, params, 1), base::InputError);
}

/// Whatever the parameters: inside the streams, and the same for the same seed.
RC_GTEST_PROP(Patterns, StayInsideTheirStreamsAndRepeat, ()) {
  PatternParams params;
  params.uniform.window_bytes = *rc::gen::inRange<std::uint64_t>(64, 1 << 20);
  params.sequential.flows = *rc::gen::inRange(1U, 6U);
  params.sequential.window_bytes = *rc::gen::inRange<std::uint64_t>(1, 1 << 20);
  params.sequential.request_bytes =
      static_cast<std::uint32_t>(*rc::gen::inRange<std::uint64_t>(1, params.sequential.window_bytes + 1));
  params.sequential.stride_bytes = *rc::gen::inRange<std::uint64_t>(0, 1 << 21);
  params.sequential.shift = *rc::gen::arbitrary<bool>();
  params.tiles.width_bytes = *rc::gen::inRange(1U, 8193U);
  params.tiles.rows = *rc::gen::inRange(1U, 70U);
  params.tiles.tile_bytes = *rc::gen::inRange(1U, 3000U);
  params.tiles.tile_rows = *rc::gen::inRange(1U, 20U);
  params.tiles.order = *rc::gen::element(TileOrder::kRows, TileOrder::kColumns, TileOrder::kMorton, TileOrder::kRandom);
  params.gpu.window_bytes = *rc::gen::inRange<std::uint64_t>(5000, 1 << 22);
  params.gpu.coalesced_percent = *rc::gen::inRange(0U, 101U);
  params.gpu.scatter_bytes = *rc::gen::element<std::uint64_t>(0, 32, 4096, 5000);
  params.tenants.patterns = {"gpu", "uniform", "tiles", "sequential"};
  params.tenants.tenants = *rc::gen::inRange(1U, 6U);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  for (const auto& row : kPatterns) {
    const auto pattern = make_pattern(row.value, params, seed), again = make_pattern(row.value, params, seed);
    for (unsigned i = 0; i < 300; ++i) {
      const Access access = pattern->next(), same = again->next();
      RC_ASSERT(access.stream < pattern->streams().size());
      RC_ASSERT(access.bytes > 0U);
      RC_ASSERT(access.offset + access.bytes <= pattern->streams()[access.stream].bytes);
      RC_ASSERT(access.offset == same.offset && access.bytes == same.bytes && access.write == same.write);
    }
  }
}

}  // namespace
}  // namespace iommusim::devices
