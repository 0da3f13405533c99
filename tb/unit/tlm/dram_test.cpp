// SPDX-License-Identifier: Apache-2.0
#include "tlm/dram.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace iommusim::bus {
namespace {

/// One channel, two banks of 1 KiB rows; opening, column, closing take 10, 20 and 5 ns; 64 bytes a ns; no refresh.
DramParams banked() {
  DramParams params;
  params.kind = DramKind::kBanked;
  params.channels = 1;
  params.banks = 2;
  params.row_bytes = 1024;
  params.interleave_bytes = 1024;
  params.activate_ps = 10'000;
  params.column_ps = 20'000;
  params.precharge_ps = 5'000;
  params.row_open_ps = 0;
  params.channel_bytes_per_s = 64'000'000'000;
  params.refresh_interval_ns = 0;
  return params;
}

struct DramBench {
  explicit DramBench(const DramParams& params) : dram(params, 1, stats) {}
  ~DramBench() { stats::check_identities(stats); }
  stats::Group stats{"test"};
  Dram dram;
};

constexpr std::uint64_t kOtherBank = 1024, kOtherRow = 2048;

TEST(Dram, LatencyNs) {
  DramParams params;
  EXPECT_TRUE(DramBench(params).dram.instant());
  params.latency_ns = 7;
  DramBench bench(params);
  EXPECT_FALSE(bench.dram.instant());
  EXPECT_EQ(bench.dram.access(0, 64, 100), 7'100U);
  EXPECT_EQ(bench.dram.access(0, 4096, 100), 7'100U);
}

TEST(Dram, SpreadNs) {
  DramParams params;
  params.kind = DramKind::kDistributed;
  params.latency_ns = 10;
  params.spread_ns = 4;
  DramBench bench(params);
  std::uint64_t least = ~0ULL, most = 0, sum = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    const std::uint64_t done = bench.dram.access(0, 64, 0);
    least = std::min(least, done);
    most = std::max(most, done);
    sum += done;
  }
  EXPECT_GE(least, 10'000U);
  EXPECT_LT(least, 10'010U);
  EXPECT_LE(most, 14'000U);
  EXPECT_GT(most, 13'990U);
  EXPECT_NEAR(static_cast<double>(sum) / 20'000, 12'000, 30);
}

TEST(Dram, TailPercentTakesTailNsMore) {
  DramParams params;
  params.kind = DramKind::kDistributed;
  params.tail_ns = 100;
  params.tail_percent = 5;
  DramBench bench(params);
  unsigned tails = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    const std::uint64_t done = bench.dram.access(0, 64, 0);
    ASSERT_TRUE(done == 0 || done == 100'000);
    tails += done != 0;
  }
  EXPECT_NEAR(tails, 1000, 120);
}

TEST(Dram, ActivatePsAndColumnPs) {
  DramBench bench(banked());
  EXPECT_EQ(bench.dram.access(0, 64, 0), 31'000U);          // opens, column, one burst
  EXPECT_EQ(bench.dram.access(64, 64, 40'000), 61'000U);    // the row is open
  EXPECT_EQ(bench.dram.access(0, 1, 100'000), 121'000U);    // a burst, however little is wanted
  EXPECT_EQ(bench.dram.access(32, 64, 200'000), 222'000U);  // two of them, one behind the other
}

TEST(Dram, PrechargePs) {
  DramBench bench(banked());
  bench.dram.access(0, 64, 0);
  EXPECT_EQ(bench.dram.access(kOtherRow, 64, 50'000), 86'000U);  // closes, opens, column, burst
}

TEST(Dram, RowOpenPs) {
  auto params = banked();
  params.row_open_ps = 40'000;
  DramBench bench(params);
  bench.dram.access(0, 64, 0);
  EXPECT_EQ(bench.dram.access(kOtherRow, 64, 35'000), 40'000U + 36'000);
  EXPECT_EQ(bench.dram.access(kOtherBank, 64, 35'000), 77'000U);  // its own bank; then behind the other on the bus
}

TEST(Dram, Banks) {
  DramBench bench(banked());
  EXPECT_EQ(bench.dram.access(0, 64, 0), 31'000U);
  EXPECT_EQ(bench.dram.access(kOtherBank, 64, 0), 32'000U);  // at the same time; the bus takes them in turn
  auto one = banked();
  one.banks = 1;
  DramBench serial(one);
  EXPECT_EQ(serial.dram.access(0, 64, 0), 31'000U);
  EXPECT_EQ(serial.dram.access(kOtherBank, 64, 0), 11'000U + 36'000);  // another row of the one bank
}

TEST(Dram, ChannelsAndInterleaveBytes) {
  auto params = banked();
  params.channels = 2;
  params.interleave_bytes = 256;
  DramBench bench(params);
  EXPECT_EQ(bench.dram.access(0, 64, 0), 31'000U);
  EXPECT_EQ(bench.dram.access(256, 64, 0), 31'000U);       // the other channel has a bus of its own
  EXPECT_EQ(bench.dram.access(512, 64, 0), 32'000U);       // the same row of the first
  EXPECT_EQ(bench.dram.access(2 * 1024, 64, 0), 33'000U);  // its other bank, the bus in turn
}

TEST(Dram, ChannelBytesPerS) {
  auto params = banked();
  params.channel_bytes_per_s = 3'000'000'000;
  DramBench bench(params);
  Dram::Picoseconds last = 0;
  for (unsigned i = 0; i < 3; ++i) last = bench.dram.access(64 * i, 64, 0);
  EXPECT_EQ(last, 30'000U + 64'000);  // 192 bytes at a third of a ns each, without drift
}

TEST(Dram, RowBytes) {
  auto params = banked();
  params.row_bytes = 512;
  DramBench bench(params);
  bench.dram.access(0, 64, 0);
  EXPECT_EQ(bench.dram.access(512, 64, 100'000), 131'000U);   // the next row lies in the other bank
  EXPECT_EQ(bench.dram.access(1024, 64, 200'000), 236'000U);  // the one after it in the first
}

TEST(Dram, BurstBytes) {
  auto params = banked();
  params.burst_bytes = 16;
  DramBench bench(params);
  EXPECT_EQ(bench.dram.access(0, 16, 0), 30'250U);
  EXPECT_EQ(bench.dram.access(8, 16, 100'000), 120'500U);
}

TEST(Dram, RowsClosed) {
  auto params = banked();
  params.rows = RowPolicy::kClosed;
  DramBench bench(params);
  EXPECT_EQ(bench.dram.access(0, 64, 0), 31'000U);
  EXPECT_EQ(bench.dram.access(0, 64, 50'000), 81'000U);           // opens again
  EXPECT_EQ(bench.dram.access(kOtherRow, 64, 90'000), 121'000U);  // and had been closed before
}

TEST(Dram, RefreshNsAtRefreshIntervalNs) {
  auto params = banked();
  params.refresh_interval_ns = 1000;
  params.refresh_ns = 100;
  DramBench bench(params);
  bench.dram.access(0, 64, 900'000);
  EXPECT_EQ(bench.dram.access(0, 64, 999'999), 1'020'999U);             // just before
  EXPECT_EQ(bench.dram.access(kOtherBank, 64, 1'000'000), 1'131'000U);  // in it
  EXPECT_EQ(bench.dram.access(0, 64, 1'100'000), 1'132'000U);           // behind it: its row is closed
  EXPECT_EQ(bench.dram.access(0, 64, 1'200'000), 1'221'000U);
}

TEST(Dram, RefusesGeometriesThatCannotBe) {
  stats::Group stats("test");
  const auto refused = [&](auto&& change) {
    auto params = banked();
    change(params);
    EXPECT_THROW(Dram(params, 1, stats), base::InputError);
  };
  refused([](DramParams& p) { p.row_bytes = 1000; });
  refused([](DramParams& p) { p.interleave_bytes = 96; });
  refused([](DramParams& p) { p.burst_bytes = 48; });
  refused([](DramParams& p) { p.row_bytes = 64, p.burst_bytes = 128; });
  refused([](DramParams& p) { p.refresh_interval_ns = 100, p.refresh_ns = 100; });
}

}  // namespace
}  // namespace iommusim::bus
