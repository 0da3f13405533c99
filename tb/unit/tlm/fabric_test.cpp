// SPDX-License-Identifier: Apache-2.0
#include "tlm/fabric.h"

#include "unit/tlm/fabric_bench.h"

namespace iommusim::bus {
namespace {

using sc_test::expect_arrival;
using sc_test::FabricBench;
using sc_test::plain_link;
using sc_test::RawTarget;
using sc_test::run_to;
using sc_test::two_links;

SC_TEST(Fabric, WaitsForTheIommuToAccept) {
  FabricBench bench(two_links(plain_link()));
  bench.iommu.answer = RawTarget::Answer::kHold;
  bench.a.begin(true, 0, 4);
  bench.b.begin(true, 0, 4);
  run_to(50'000);
  EXPECT_EQ(bench.iommu.requests.size(), 1U);
  bench.iommu.end_request(0);
  run_to(50'000);
  ASSERT_EQ(bench.iommu.requests.size(), 2U);
  EXPECT_EQ(bench.fabric.statistics().held.value(), 1U);
}

SC_TEST(Fabric, HonoursTheDelayOfAcceptance) {
  FabricBench bench(two_links(plain_link()));
  bench.iommu.answer_delay = 7'000;
  bench.a.begin(true, 0, 1);  // arrives at 15 ns, the IOMMU is ready again at 22 ns
  bench.b.begin(true, 0, 1);
  run_to(100'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{15'000, 22'000}));
}

SC_TEST(Fabric, HonoursTheDelayOfARequest) {
  FabricBench bench(two_links(plain_link()));
  bench.a.begin(true, 0, 6, 5'000);
  expect_arrival(bench, 1, 25'000);
}

SC_TEST(Fabric, ARequestThatWaitsInThePortIsTakenInItsTime) {
  auto params = plain_link();
  params.queue_depth = 1;
  FabricBench bench(two_links(params));
  bench.a.begin(true, 0, 6);
  bench.a.begin(true, 0, 6, 25'000);
  expect_arrival(bench, 1, 20'000);
  expect_arrival(bench, 2, 45'000);
}

SC_TEST(Fabric, BlockingTransportTakesTheUnloadedTime) {
  FabricBench bench(two_links(plain_link()));
  bench.iommu.answer_delay = 5'000;
  auto& read = bench.a.pool.take();
  set_access(read, false, 0, read.buffer(), 8);
  sc_core::sc_time delay;
  bench.a.socket->b_transport(read, delay);
  EXPECT_EQ(delay, to_sc_time(12'000 + 5'000 + 31'000));
  EXPECT_EQ(bench.a.socket->transport_dbg(read), 8U);
}

/// A bridge with a link of twice the time between the endpoints and the host bridge.
Fabric::Shape below_a_bridge(Arbitration arbitration, std::uint32_t weight_of_b) {
  auto slow = plain_link();
  slow.rate_bytes_per_s = 500'000'000;
  Fabric::Shape shape;
  shape.links = {{"bridge", Fabric::kHostBridge, {1, slow}, arbitration},
                 {"a_link", 0, {1, plain_link()}, {}},
                 {"b_link", 0, {weight_of_b, plain_link()}, {}}};
  shape.ports = {{"a_port", 1}, {"b_port", 2}};
  return shape;
}

std::vector<std::uint64_t> order_of(Arbitration arbitration, std::uint32_t weight_of_b) {
  FabricBench bench(below_a_bridge(arbitration, weight_of_b));
  for (int i = 0; i < 4; ++i) {
    bench.a.begin(true, 0xa, 6);
    bench.b.begin(true, 0xb, 6);
  }
  run_to(1'000'000);
  return bench.addresses();
}

SC_TEST(Fabric, ABridgePassesOnWhatHasComeCompletely) {
  FabricBench bench(below_a_bridge(Arbitration::kRoundRobin, 1));
  auto& read = bench.a.begin(false, 0, 7);
  expect_arrival(bench, 1, 26'000);  // 2 ns + 10 ns, 4 ns + 10 ns
  run_to(100'000);
  bench.iommu.respond(0);
  sc_test::expect_answer(bench.a, read, 170'000);  // 20 ns + 20 ns, 10 ns + 20 ns
}

SC_TEST(Fabric, CompletionsFollowEachOtherThroughABridge) {
  auto shape = below_a_bridge(Arbitration::kRoundRobin, 1);
  for (auto& link : shape.links) link.params.pcie.max_payload_bytes = 64;
  FabricBench bench(shape);
  auto& read = bench.a.begin(false, 0, 128);
  run_to(100'000);
  bench.iommu.respond(0);
  sc_test::expect_answer(bench.a, read, 100'000 + 2 * 134'000 + 20'000 + 67'000 + 20'000);
}

SC_TEST(Fabric, ArbitrationRoundRobin) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_of(Arbitration::kRoundRobin, 2), (Order{0xa, 0xb, 0xa, 0xb, 0xa, 0xb, 0xa, 0xb}));
}
SC_TEST(Fabric, ArbitrationWeighted) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_of(Arbitration::kWeighted, 2), (Order{0xa, 0xb, 0xb, 0xa, 0xb, 0xb, 0xa, 0xa}));
}
SC_TEST(Fabric, ArbitrationFixedAndWeight) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_of(Arbitration::kFixed, 2), (Order{0xb, 0xb, 0xb, 0xb, 0xa, 0xa, 0xa, 0xa}));
}

/// Two links that end at the host bridge; the IOMMU takes a request each 50 ns.
std::vector<std::uint64_t> order_at_the_host_bridge(Arbitration arbitration) {
  auto shape = two_links(plain_link());
  shape.arbitration = arbitration;
  shape.links[1].params.weight = 2;
  FabricBench bench(shape);
  bench.iommu.answer_delay = 50'000;
  for (int i = 0; i < 4; ++i) {
    bench.a.begin(true, 0xa, 6);
    bench.b.begin(true, 0xb, 6);
  }
  run_to(1'000'000);
  return bench.addresses();
}
SC_TEST(Fabric, BusArbitrationRoundRobin) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_at_the_host_bridge(Arbitration::kRoundRobin), (Order{0xa, 0xb, 0xa, 0xb, 0xa, 0xb, 0xa, 0xb}));
}
SC_TEST(Fabric, BusArbitrationWeighted) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_at_the_host_bridge(Arbitration::kWeighted), (Order{0xa, 0xb, 0xb, 0xa, 0xb, 0xb, 0xa, 0xa}));
}
SC_TEST(Fabric, BusArbitrationFixed) {
  using Order = std::vector<std::uint64_t>;
  EXPECT_EQ(order_at_the_host_bridge(Arbitration::kFixed), (Order{0xb, 0xb, 0xb, 0xb, 0xa, 0xa, 0xa, 0xa}));
}

SC_TEST(Fabric, FunctionsOfAnEndpointShareItsLink) {
  auto shape = two_links(plain_link());
  shape.links.pop_back();
  shape.ports[1].link = 0;
  FabricBench bench(shape);
  bench.a.begin(true, 1, 6);
  auto& read = bench.b.begin(false, 2, 7);
  expect_arrival(bench, 1, 20'000);
  expect_arrival(bench, 2, 22'000);
  bench.iommu.respond(1);
  sc_test::expect_answer(bench.b, read, 52'000);
}

}  // namespace
}  // namespace iommusim::bus
