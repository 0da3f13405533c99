// SPDX-License-Identifier: Apache-2.0
#include "tlm/dma_bus.h"

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

using sc_test::RawInitiator;
using sc_test::RawTarget;
using sc_test::run_to;

/// 10 ns up, 20 ns down, 1 byte a ns each way, headers of 4 bytes.
DmaBusParams plain_bus() {
  DmaBusParams params;
  params.latency_up_ns = 10;
  params.latency_down_ns = 20;
  params.bandwidth_up_bytes_per_s = params.bandwidth_down_bytes_per_s = 1'000'000'000;
  params.header_bytes = 4;
  params.queue_depth = 2;
  params.credits = 4;
  return params;
}

struct BusBench {
  explicit BusBench(const DmaBusParams& params) : bus("bus", params, {"nic", "nvme"}, stats) {
    a.socket.bind(bus.port(0));
    b.socket.bind(bus.port(1));
    bus.to_iommu().bind(iommu.socket);
  }
  ~BusBench() {
    stats.advance(now_ps());
    stats::check_identities(stats);
  }
  std::vector<Picoseconds> arrivals() const {
    std::vector<Picoseconds> times;
    for (const auto& request : iommu.requests) times.push_back(request.at);
    return times;
  }
  stats::Group stats{"test"};
  DmaBus bus;
  RawInitiator a{"a"}, b{"b"};
  RawTarget iommu{"iommu"};
};

void expect_arrival(BusBench& bench, std::size_t count, Picoseconds time) {
  run_to(time - 1);
  EXPECT_EQ(bench.iommu.requests.size(), count - 1);
  run_to(time);
  ASSERT_EQ(bench.iommu.requests.size(), count);
}

SC_TEST(DmaBus, LatencyUpNs) {
  auto params = plain_bus();
  params.bandwidth_up_bytes_per_s = 0;
  BusBench bench(params);
  bench.a.begin(true, 0, 64);
  expect_arrival(bench, 1, 10'000);
}

SC_TEST(DmaBus, BandwidthUpBytesPerSAndHeaderBytes) {
  BusBench bench(plain_bus());
  bench.a.begin(true, 0, 64);
  bench.a.begin(false, 0, 64);
  expect_arrival(bench, 1, 78'000);  // 4 + 64 bytes
  expect_arrival(bench, 2, 82'000);  // a read goes up as a header
}

SC_TEST(DmaBus, ALinkRetrySendsTwiceAfterItsDelay) {
  BusBench bench(plain_bus());
  stats::Group root("injections");
  timing::Injector injector(1, root);
  timing::InjectionParams params;
  params.kind = timing::InjectionKind::kLinkRetry;
  params.port = "nic";
  params.delay_ns = 100;
  params.count = 1;
  injector.add("x", params);
  bench.bus.inject(&injector);
  bench.b.begin(true, 0, 64);
  bench.a.begin(true, 0, 64);
  bench.a.begin(false, 0, 64);
  expect_arrival(bench, 1, 78'000);
  expect_arrival(bench, 2, 246'000);  // 100 ns, 2 * 68 bytes, 10 ns
  expect_arrival(bench, 3, 250'000);  // what is behind it stays behind it
  EXPECT_EQ(bench.bus.port_statistics(0).retries.value(), 1U);
  EXPECT_EQ(bench.bus.port_statistics(0).bytes_up.value(), 2U * 68 + 4);
  EXPECT_EQ(bench.bus.port_statistics(1).retries.value(), 0U);
  sc_core::sc_time delay;
  params.port.clear();
  injector.add("x", params);
  auto& blocking = bench.a.pool.take();
  set_access(blocking, true, 0, blocking.buffer(), 64);
  bench.a.socket->b_transport(blocking, delay);
  EXPECT_EQ(delay, to_sc_time(246'000 + 20'000));
  blocking.release();
}

SC_TEST(DmaBus, LatencyDownNs) {
  auto params = plain_bus();
  params.bandwidth_down_bytes_per_s = 0;
  BusBench bench(params);
  auto& read = bench.a.begin(false, 0, 64);
  run_to(100'000);
  bench.iommu.respond(0);
  run_to(119'999);
  EXPECT_EQ(bench.a.answered(read), kNever);
  run_to(120'000);
  EXPECT_EQ(bench.a.answered(read), 120'000U);
}

SC_TEST(DmaBus, BandwidthDownBytesPerS) {
  BusBench bench(plain_bus());
  auto& read = bench.a.begin(false, 0, 64);
  auto& failed = bench.a.begin(false, 0, 64);
  auto& write = bench.b.begin(true, 0, 64);
  run_to(100'000);
  bench.iommu.respond(0);
  bench.iommu.respond(1);
  bench.iommu.respond(2, 0, ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  run_to(300'000);
  EXPECT_EQ(bench.iommu.requests[1].payload, &write);  // the ports took turns
  EXPECT_EQ(bench.a.answered(read), 188'000U);         // 4 + 64 bytes
  EXPECT_EQ(bench.b.answered(write), 188'000U);        // no bytes, behind the read
  EXPECT_EQ(bench.a.answered(failed), 192'000U);       // a header
  EXPECT_EQ(bench.a.pool.in_use(), 2U);                // ours
  for (auto* payload : {&read, &failed, &write}) payload->release();
  EXPECT_EQ(bench.a.pool.in_use() + bench.b.pool.in_use(), 0U);
}

SC_TEST(DmaBus, QueueDepth) {
  BusBench bench(plain_bus());
  PooledPayload* writes[3];
  for (auto& write : writes) write = &bench.a.begin(true, 0, 96);
  EXPECT_EQ(bench.a.accepted(*writes[1]), 0U);
  run_to(99'999);
  EXPECT_EQ(bench.a.accepted(*writes[2]), kNever);
  run_to(100'000);
  EXPECT_EQ(bench.a.accepted(*writes[2]), 100'000U);
}

SC_TEST(DmaBus, Credits) {
  auto params = plain_bus();
  params.credits = 1;
  BusBench bench(params);
  bench.a.begin(false, 0, 4);
  bench.a.begin(false, 0, 4);
  bench.b.begin(false, 0, 4);
  run_to(1'000'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{14'000, 18'000}));  // one of each port
  bench.iommu.respond(0);  // 8 bytes down: taken at 1'028 ns, the next 4 bytes go up then
  expect_arrival(bench, 3, 1'042'000);
}

SC_TEST(DmaBus, PortsTakeTurns) {
  BusBench bench(plain_bus());
  for (int i = 0; i < 2; ++i) {
    bench.b.begin(true, 0xb, 96);
    bench.a.begin(true, 0xa, 96);
  }
  run_to(1'000'000);
  std::vector<std::uint64_t> order;
  for (const auto& request : bench.iommu.requests) order.push_back(request.payload->get_address());
  EXPECT_EQ(order, (std::vector<std::uint64_t>{0xa, 0xb, 0xa, 0xb}));
}

SC_TEST(DmaBus, WaitsForTheIommuToAccept) {
  BusBench bench(plain_bus());
  bench.iommu.answer = RawTarget::Answer::kHold;
  bench.a.begin(true, 0, 4);
  bench.b.begin(true, 0, 4);
  run_to(50'000);
  EXPECT_EQ(bench.iommu.requests.size(), 1U);
  bench.iommu.end_request(0);
  run_to(50'000);
  ASSERT_EQ(bench.iommu.requests.size(), 2U);
  EXPECT_EQ(bench.bus.statistics().held.value(), 1U);
}

SC_TEST(DmaBus, HonoursTheDelayOfAcceptance) {
  BusBench bench(plain_bus());
  bench.iommu.answer_delay = 7'000;
  bench.a.begin(true, 0, 1);  // arrives at 15 ns, the port is free again at 22 ns
  bench.b.begin(true, 0, 1);
  run_to(100'000);
  EXPECT_EQ(bench.arrivals(), (std::vector<Picoseconds>{15'000, 22'000}));
}

SC_TEST(DmaBus, AnswersComeBackInTheOrderOfTheIommu) {
  BusBench bench(plain_bus());
  auto& first = bench.a.begin(false, 0, 6);
  auto& second = bench.a.begin(false, 0, 6);
  run_to(100'000);
  bench.iommu.respond(1);
  bench.iommu.respond(0);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(second), 130'000U);
  EXPECT_EQ(bench.a.answered(first), 140'000U);
}

SC_TEST(DmaBus, AnswerNotTakenBlocksItsPortAlone) {
  BusBench bench(plain_bus());
  bench.a.take_responses = false;
  auto& first = bench.a.begin(false, 0, 6);
  auto& second = bench.a.begin(false, 0, 6);
  auto& other = bench.b.begin(false, 0, 6);
  run_to(100'000);
  for (std::size_t i = 0; i < 3; ++i) bench.iommu.respond(i);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(first), 130'000U);
  EXPECT_EQ(bench.b.answered(other), 140'000U);
  EXPECT_EQ(bench.a.answered(second), kNever);
  bench.a.end_response(first);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(second), 200'000U);
}

SC_TEST(DmaBus, BlockingTransportTakesTheUnloadedTime) {
  BusBench bench(plain_bus());
  bench.iommu.answer_delay = 5'000;
  auto& read = bench.a.pool.take();
  set_access(read, false, 0, read.buffer(), 8);
  sc_core::sc_time delay;
  bench.a.socket->b_transport(read, delay);
  EXPECT_EQ(delay, to_sc_time(14'000 + 5'000 + 32'000));
  EXPECT_EQ(bench.a.socket->transport_dbg(read), 8U);
}

}  // namespace
}  // namespace iommusim::bus
