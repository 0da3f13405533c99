// SPDX-License-Identifier: Apache-2.0
// The knobs of an AXI-like port.
#include "unit/tlm/fabric_bench.h"

namespace iommusim::bus {
namespace {

using sc_test::expect_answer;
using sc_test::expect_arrival;
using sc_test::FabricBench;
using sc_test::run_to;

/// 4 bytes a ns, 10 ns up, 20 ns down.
AxiParams plain_port() {
  AxiParams params;
  params.width_bytes = 4;
  params.latency_up_ns = 10;
  params.latency_down_ns = 20;
  return params;
}
Fabric::Shape ports(const AxiParams& axi) {
  LinkParams link;
  link.kind = LinkKind::kAxi;
  link.axi = axi;
  Fabric::Shape shape;
  shape.links = {{"a_link", Fabric::kHostBridge, link, {}}, {"b_link", Fabric::kHostBridge, link, {}}};
  shape.ports = {{"a_port", 0, {}}, {"b_port", 1, {}}};
  return shape;
}

SC_TEST(AxiPort, WidthBytesAndLatencyUpNs) {
  FabricBench bench(ports(plain_port()));
  bench.a.begin(true, 0, 62);
  expect_arrival(bench, 1, 26'000);  // 16 beats
}
SC_TEST(AxiPort, ClockMhz) {
  auto params = plain_port();
  params.clock_mhz = 500;
  FabricBench bench(ports(params));
  bench.a.begin(false, 0, 62);
  expect_arrival(bench, 1, 12'000);  // a beat of 2 ns
}
SC_TEST(AxiPort, ReadsDoNotWaitForWriteData) {
  FabricBench bench(ports(plain_port()));
  bench.a.begin(true, 1, 400);
  bench.a.begin(false, 2, 4);
  expect_arrival(bench, 1, 11'000);
  EXPECT_EQ(bench.addresses(), (std::vector<std::uint64_t>{2}));
  expect_arrival(bench, 2, 110'000);
}
SC_TEST(AxiPort, LatencyDownNs) {
  FabricBench bench(ports(plain_port()));
  auto& read = bench.a.begin(false, 0, 62);
  auto& write = bench.b.begin(true, 0, 4);
  run_to(100'000);
  bench.iommu.respond(1);
  bench.iommu.respond(0);
  expect_answer(bench.b, write, 120'000);
  expect_answer(bench.a, read, 136'000);
}
SC_TEST(AxiPort, MaxBurstBeats) {
  auto params = plain_port();
  params.max_burst_beats = 8;
  FabricBench bench(ports(params));
  bench.a.begin(true, 4096 - 40, 60);  // 8 + 2 beats to the page's border, 5 behind it
  run_to(1'000'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{18'000, 20'000, 25'000}));
}
SC_TEST(AxiPort, OutstandingReads) {
  auto params = plain_port();
  params.outstanding_reads = 2;
  FabricBench bench(ports(params));
  for (std::uint64_t i = 0; i < 3; ++i) bench.a.begin(false, i, 4);
  bench.a.begin(true, 7, 4);
  run_to(100'000);
  EXPECT_EQ(bench.iommu.requests.size(), 3U);
  bench.iommu.respond(0);
  expect_arrival(bench, 4, 132'000);  // 1 + 20 ns down, 1 + 10 ns up
}
SC_TEST(AxiPort, OutstandingWrites) {
  auto params = plain_port();
  params.outstanding_writes = 1;
  FabricBench bench(ports(params));
  bench.a.begin(true, 0, 4);
  bench.a.begin(true, 1, 4);
  bench.a.begin(false, 2, 4);
  run_to(100'000);
  ASSERT_EQ(bench.iommu.requests.size(), 2U);
  const std::size_t write = bench.iommu.requests[0].write ? 0 : 1;
  bench.iommu.respond(write);
  expect_arrival(bench, 3, 131'000);
}
SC_TEST(AxiPort, AnswersOfAnIdComeInOrder) {
  FabricBench bench(ports(plain_port()));
  auto& first = bench.a.begin(false, 0, 4);
  auto& second = bench.a.begin(false, 1, 4);
  run_to(100'000);
  bench.iommu.respond(1);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(second), kNever);
  bench.iommu.respond(0);
  expect_answer(bench.a, first, 221'000);
  expect_answer(bench.a, second, 222'000);
}
SC_TEST(AxiPort, QueueDepth) {
  auto params = plain_port();
  params.queue_depth = 1;
  FabricBench bench(ports(params));
  bench.a.begin(true, 0, 40);
  auto& second = bench.a.begin(true, 0, 40);
  run_to(9'999);
  EXPECT_EQ(bench.a.accepted(second), kNever);
  run_to(10'000);
  EXPECT_EQ(bench.a.accepted(second), 10'000U);
}

}  // namespace
}  // namespace iommusim::bus
