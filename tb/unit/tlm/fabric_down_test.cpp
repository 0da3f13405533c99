// SPDX-License-Identifier: Apache-2.0
#include "unit/tlm/fabric_bench.h"

namespace iommusim::bus {
namespace {

using sc_test::expect_answer;
using sc_test::FabricBench;
using sc_test::plain_link;
using sc_test::run_to;
using sc_test::two_links;

SC_TEST(FabricDown, LatencyDownNsAndCompletionHeaderBytes) {
  FabricBench bench(two_links(plain_link()));
  auto& read = bench.a.begin(false, 0, 64);
  auto& write = bench.b.begin(true, 0, 64);
  run_to(100'000);
  bench.iommu.respond(0);
  bench.iommu.respond(1);
  expect_answer(bench.b, write, 120'000);  // no bytes
  expect_answer(bench.a, read, 187'000);   // 3 + 64 bytes
}

SC_TEST(FabricDown, MaxPayloadBytesCutsCompletions) {
  auto params = plain_link();
  params.max_payload_bytes = 64;
  FabricBench bench(two_links(params));
  auto& read = bench.a.begin(false, 0, 200);
  run_to(100'000);
  bench.iommu.respond(0);
  expect_answer(bench.a, read, 332'000);  // 4 * 3 + 200 bytes
  EXPECT_EQ(bench.fabric.link_statistics(0).packets_down.value(), 4U);
  EXPECT_EQ(bench.fabric.port_statistics(0).bytes_down.value(), 212U);
}

SC_TEST(FabricDown, ATransferIsAnsweredOnceWithTheWorst) {
  auto params = plain_link();
  params.max_read_request_bytes = 64;
  FabricBench bench(two_links(params));
  auto& read = bench.a.begin(false, 0, 192);
  run_to(100'000);
  ASSERT_EQ(bench.iommu.requests.size(), 3U);
  EXPECT_EQ(bench.fabric.payloads().in_use(), 3U);
  bench.iommu.respond(2);
  dma_of(*bench.iommu.requests[1].payload).response = translate::Response::kUnsupportedRequest;
  bench.iommu.respond(1, 0, ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  bench.iommu.respond(0);
  expect_answer(bench.a, read, 257'000);  // 67 + 3 + 67 bytes
  EXPECT_EQ(read.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.fabric.payloads().in_use(), 0U);
}

SC_TEST(FabricDown, PartsCarryTheirOwnData) {
  auto params = plain_link();
  params.max_payload_bytes = 64;
  FabricBench bench(two_links(params));
  auto& write = bench.a.pool.take();
  set_access(write, true, 4096 - 10, write.buffer(), 100);
  for (int i = 0; i < 100; ++i) write.buffer()[i] = static_cast<std::uint8_t>(i);
  bench.a.send(write);
  run_to(300'000);
  ASSERT_EQ(bench.iommu.requests.size(), 3U);
  EXPECT_EQ(bench.iommu.requests[1].payload->get_data_ptr()[0], 10);
  EXPECT_EQ(bench.iommu.requests[2].payload->get_data_ptr()[0], 74);
  EXPECT_EQ(bench.iommu.requests[2].bytes, 26U);
}

SC_TEST(FabricDown, AnAnswerNotTakenHoldsBackItsPortAlone) {
  FabricBench bench(two_links(plain_link()));
  bench.a.take_responses = false;
  auto& first = bench.a.begin(false, 0, 7);
  auto& second = bench.a.begin(false, 0, 7);
  auto& other = bench.b.begin(false, 0, 7);
  run_to(100'000);
  for (std::size_t i = 0; i < 3; ++i) bench.iommu.respond(i);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(first), 130'000U);
  EXPECT_EQ(bench.b.answered(other), 130'000U);
  EXPECT_EQ(bench.a.answered(second), kNever);
  bench.a.end_response(first);
  run_to(200'000);
  EXPECT_EQ(bench.a.answered(second), 200'000U);
}

}  // namespace
}  // namespace iommusim::bus
