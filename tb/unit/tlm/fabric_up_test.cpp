// SPDX-License-Identifier: Apache-2.0
#include "unit/tlm/fabric_bench.h"

namespace iommusim::bus {
namespace {

using sc_test::expect_arrival;
using sc_test::FabricBench;
using sc_test::plain_link;
using sc_test::run_to;
using sc_test::two_links;

SC_TEST(FabricUp, LatencyUpNsAndWriteHeaderBytes) {
  FabricBench bench(two_links(plain_link()));
  bench.a.begin(true, 0, 64);
  expect_arrival(bench, 1, 78'000);  // 4 + 64 bytes, 10 ns
}

SC_TEST(FabricUp, ReadHeaderBytes) {
  FabricBench bench(two_links(plain_link()));
  bench.a.begin(false, 0, 64);
  expect_arrival(bench, 1, 12'000);
}

SC_TEST(FabricUp, RateBytesPerSIsOfEachLinkAlone) {
  auto slow = plain_link();
  slow.rate_bytes_per_s = 500'000'000;
  FabricBench bench(two_links(plain_link(), slow));
  bench.a.begin(true, 0, 64);
  bench.b.begin(true, 0, 64);
  expect_arrival(bench, 1, 78'000);
  expect_arrival(bench, 2, 146'000);
}

SC_TEST(FabricUp, MaxPayloadBytes) {
  auto params = plain_link();
  params.max_payload_bytes = 64;
  FabricBench bench(two_links(params));
  bench.a.begin(true, 4096 - 96, 200);  // 64 + 32 to the border of the page, 64 + 40 behind it
  expect_arrival(bench, 1, 78'000);
  expect_arrival(bench, 2, 114'000);
  expect_arrival(bench, 3, 182'000);
  expect_arrival(bench, 4, 226'000);
  EXPECT_EQ(bench.addresses(), (std::vector<std::uint64_t>{4000, 4064, 4096, 4160}));
  EXPECT_EQ(bench.fabric.link_statistics(0).packets_up.value(), 4U);
  EXPECT_EQ(bench.fabric.port_statistics(0).bytes_up.value(), 216U);
}

SC_TEST(FabricUp, MaxReadRequestBytes) {
  auto params = plain_link();
  params.max_read_request_bytes = 128;
  FabricBench bench(two_links(params));
  bench.a.begin(false, 0, 300);
  run_to(1'000'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{12'000, 14'000, 16'000}));
  EXPECT_EQ(bench.iommu.requests[2].bytes, 44U);
}

SC_TEST(FabricUp, MergeTlpsMakesOneRequestOfAPage) {
  auto params = plain_link();
  params.max_payload_bytes = 64;
  params.merge_tlps = true;
  FabricBench bench(two_links(params));
  bench.a.begin(true, 4096 - 96, 200);
  run_to(1'000'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{114'000, 226'000}));  // as without, when the last one comes
  EXPECT_EQ(bench.fabric.link_statistics(0).packets_up.value(), 4U);
}

SC_TEST(FabricUp, Tags) {
  auto params = plain_link();
  params.tags = 2;
  FabricBench bench(two_links(params));
  for (std::uint64_t i = 0; i < 3; ++i) bench.a.begin(false, i, 5);
  bench.a.begin(true, 7, 5);  // a write needs none, and passes
  run_to(100'000);
  EXPECT_EQ(bench.addresses(), (std::vector<std::uint64_t>{0, 1, 7}));
  bench.iommu.respond(1);  // 3 + 5 bytes and 20 ns down, 2 bytes and 10 ns up
  expect_arrival(bench, 4, 140'000);
  EXPECT_EQ(bench.fabric.link_statistics(0).tag_waits.value(), 1U);
}

SC_TEST(FabricUp, NonpostedHeaderCredits) {
  auto params = plain_link();
  params.nonposted_header_credits = 1;
  FabricBench bench(two_links(params));
  bench.a.begin(false, 0, 5);
  bench.a.begin(false, 1, 5);
  bench.a.begin(true, 7, 6);
  run_to(30'000);
  EXPECT_EQ(bench.addresses(), (std::vector<std::uint64_t>{0, 7}));
  expect_arrival(bench, 3, 44'000);  // back 20 ns after the IOMMU took the first at 12 ns
  EXPECT_EQ(bench.fabric.link_statistics(0).credit_waits.value(), 1U);
}

SC_TEST(FabricUp, PostedHeaderCredits) {
  auto params = plain_link();
  params.posted_header_credits = 1;
  FabricBench bench(two_links(params));
  bench.a.begin(true, 0, 6);
  bench.a.begin(true, 1, 6);
  bench.a.begin(false, 2, 6);  // a read does not pass a write that waits
  expect_arrival(bench, 1, 20'000);
  expect_arrival(bench, 2, 60'000);
  expect_arrival(bench, 3, 62'000);
}

SC_TEST(FabricUp, PostedDataCredits) {
  auto params = plain_link();
  params.posted_data_credits = 5;  // 80 bytes
  params.max_payload_bytes = 64;
  FabricBench bench(two_links(params));
  bench.a.begin(true, 0, 64);
  bench.a.begin(true, 1, 16);
  bench.a.begin(true, 2, 1);
  run_to(100'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{78'000, 98'000}));
  expect_arrival(bench, 3, 113'000);  // 78 + 20, 5 bytes, 10 ns
}

SC_TEST(FabricUp, QueueDepth) {
  auto params = plain_link();
  params.queue_depth = 2;
  FabricBench bench(two_links(params));
  PooledPayload* writes[3];
  for (auto& write : writes) write = &bench.a.begin(true, 0, 96);
  EXPECT_EQ(bench.a.accepted(*writes[1]), 0U);
  run_to(99'999);
  EXPECT_EQ(bench.a.accepted(*writes[2]), kNever);
  run_to(100'000);
  EXPECT_EQ(bench.a.accepted(*writes[2]), 100'000U);
  expect_arrival(bench, 3, 310'000);
}

SC_TEST(FabricUp, ALinkRetrySendsTwiceAfterItsDelay) {
  FabricBench bench(two_links(plain_link()));
  stats::Group root("injections");
  timing::Injector injector(1, root);
  timing::InjectionParams params;
  params.kind = timing::InjectionKind::kLinkRetry;
  params.port = "a_port";
  params.delay_ns = 100;
  params.count = 1;
  injector.add("x", params);
  bench.fabric.inject(&injector);
  bench.a.begin(true, 0, 64);
  bench.a.begin(false, 0, 64);
  expect_arrival(bench, 1, 246'000);  // 100 ns, 2 * 68 bytes, 10 ns
  expect_arrival(bench, 2, 248'000);
  EXPECT_EQ(bench.fabric.port_statistics(0).retries.value(), 1U);
}

// PCIe 2.4.1: posted writes stay in order, and pass reads only when these cannot go on.
SC_TEST(FabricUp, KeepsTheOrderOfPcie) {
  FabricBench bench(two_links(plain_link()));
  bench.a.begin(false, 1, 8);
  bench.a.begin(true, 2, 8);
  bench.a.begin(true, 3, 8);
  bench.a.begin(false, 4, 8);
  run_to(1'000'000);
  EXPECT_EQ(bench.addresses(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace iommusim::bus
