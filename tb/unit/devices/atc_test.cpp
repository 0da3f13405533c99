// SPDX-License-Identifier: Apache-2.0
#include "devices/atc.h"

#include "atc_bench.h"

namespace iommusim::devices {
namespace {

using namespace atc_bench;

SC_TEST(Atc, SwitchedOffItPassesEverythingOn) {
  AtcBench bench({}, false);
  PooledPayload& read = bench.dma(false, 0x5010);
  ASSERT_EQ(bench.iommu.requests.size(), 1U) << "and no credits";
  EXPECT_EQ(bench.iommu.requests[0].address, 0x5010U);
  EXPECT_EQ(bus::dma_of(*bench.iommu.requests[0].payload).type, AddressType::kUntranslated);
  bench.respond(0, translate::Response::kUnsupportedRequest);
  ASSERT_TRUE(bench.ended(read));
  EXPECT_EQ(read.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.atc.statistics().lookups.value(), 0U);
}

SC_TEST(Atc, AMissAsksAndTheNextAccessHits) {
  AtcParams params;
  params.cache.lookup_cycles = 20;
  AtcBench bench(params);
  const auto start = bus::now_ps();
  PooledPayload& write = bench.dma(true, 0x5010);
  ASSERT_EQ(bench.sent(AddressType::kAtsRequest).size(), 1U);
  const auto& request = bench.iommu.requests[bench.sent(AddressType::kAtsRequest)[0]];
  EXPECT_EQ(request.at, start + 20'000) << "lookup_cycles";
  EXPECT_EQ(request.address, 0x5000U);
  EXPECT_FALSE(bus::ats_of(*request.payload).no_write);
  bench.complete(0, 0x95000, true, true);
  ASSERT_EQ(bench.sent(AddressType::kTranslated).size(), 1U);
  EXPECT_EQ(bench.iommu.requests[bench.sent(AddressType::kTranslated)[0]].address, 0x95010U);
  EXPECT_FALSE(bench.ended(write));
  bench.respond(bench.sent(AddressType::kTranslated)[0]);
  EXPECT_TRUE(bench.ended(write));
  EXPECT_TRUE(write.is_response_ok());

  bench.dma(false, 0x5f00);
  ASSERT_EQ(bench.sent(AddressType::kTranslated).size(), 2U);
  EXPECT_EQ(bench.iommu.requests[bench.sent(AddressType::kTranslated)[1]].address, 0x95f00U);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 1U);
  EXPECT_EQ(bench.atc.statistics().hits.value(), 1U);
  EXPECT_EQ(bench.atc.statistics().misses.value(), 1U);
}

SC_TEST(Atc, ClockMhz) {
  AtcParams params;
  params.cache.lookup_cycles = 20;
  params.clock_mhz = 500;
  AtcBench bench(params);
  bench.wait(1);
  const auto start = bus::now_ps();
  ASSERT_EQ(start % 2000, 0U) << "an edge";
  bench.dma(true, 0x5010);
  ASSERT_EQ(bench.sent(AddressType::kAtsRequest).size(), 1U);
  EXPECT_EQ(bench.iommu.requests[bench.sent(AddressType::kAtsRequest)[0]].at, start + 40'000);
}

SC_TEST(Atc, APayloadAcrossABorderIsCutAndAnsweredOnceWithTheWorst) {
  AtcBench bench;
  PooledPayload& read = bench.dma(false, 0x5fe0, 64);
  ASSERT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U);
  bench.complete(0, 0x95000, true, false);
  bench.complete(1, 0x76000, true, false);
  const auto parts = bench.sent(AddressType::kTranslated);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(bench.iommu.requests[parts[1]].address, 0x76000U);
  EXPECT_EQ(bench.iommu.requests[parts[1]].bytes, 32U);
  bench.respond(parts[1], translate::Response::kUnsupportedRequest);
  EXPECT_FALSE(bench.ended(read));
  bench.respond(parts[0]);
  EXPECT_TRUE(bench.ended(read));
  EXPECT_EQ(read.dma.response, translate::Response::kUnsupportedRequest);
}

SC_TEST(Atc, AccessesOfOnePageShareARequest) {
  AtcBench bench;
  bench.dma(false, 0x5000);
  bench.dma(false, 0x5100);
  bench.dma(true, 0x5200);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U) << "a write wants more than a read";
  EXPECT_EQ(bench.atc.statistics().merged.value(), 1U);
  bench.complete(0, 0x95000, true, false);
  EXPECT_EQ(bench.sent(AddressType::kTranslated).size(), 2U);
}

SC_TEST(Atc, TranslationRequestsAreLimited) {
  AtcParams params;
  params.translation_requests = 2;
  AtcBench bench(params);
  for (std::uint64_t page = 0; page < 4; ++page) bench.dma(false, 0x10000 + page * 0x1000);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U);
  bench.complete(0, 0x95000, true, false);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 3U);
}

SC_TEST(Atc, UntranslatedOnlyIsSentUntranslated) {
  AtcBench bench;
  bench.dma(true, 0x5010);
  bench.complete(0, 0x95000, true, true, true);
  ASSERT_EQ(bench.sent(AddressType::kUntranslated).size(), 1U);
  EXPECT_EQ(bench.iommu.requests.back().address, 0x5010U);
}

SC_TEST(Atc, ErrorsOfTheRequestEndItsDma) {
  AtcBench bench;
  PooledPayload& off = bench.dma(false, 0x5000);
  bench.respond(bench.sent(AddressType::kAtsRequest)[0], translate::Response::kUnsupportedRequest);
  EXPECT_EQ(off.dma.response, translate::Response::kUnsupportedRequest);
  PooledPayload& broken = bench.dma(false, 0x6000);
  bench.respond(bench.sent(AddressType::kAtsRequest)[1], translate::Response::kCompleterAbort);
  EXPECT_EQ(broken.dma.response, translate::Response::kCompleterAbort);
  EXPECT_EQ(bench.atc.statistics().failed.value(), 2U);
  EXPECT_TRUE(bench.atc.idle());
}

SC_TEST(Atc, CompletionTimeOutNs) {
  AtcParams params;
  params.completion_time_out_ns = 5000;
  AtcBench bench(params);
  const auto start = bus::now_ps() + 1000;
  PooledPayload& read = bench.dma(false, 0x5000);
  sc_test::run_to(start + 4'999'999);
  EXPECT_FALSE(bench.ended(read));
  sc_test::run_to(start + 5'000'000);
  EXPECT_TRUE(bench.ended(read));
  EXPECT_EQ(read.dma.response, translate::Response::kCompleterAbort);
  bench.complete(0, 0x95000, true, true);
  EXPECT_EQ(bench.atc.statistics().late.value(), 1U);
  EXPECT_EQ(bench.sent(AddressType::kTranslated).size(), 0U);
}

SC_TEST(Atc, ForgetsEverythingWhenItIsSwitched) {
  AtcBench bench;
  bench.warm(0x5000, 0x95000);
  bench.atc.enable(false, false);
  bench.dma(false, 0x5000);
  EXPECT_EQ(bench.sent(AddressType::kUntranslated).size(), 1U);
  bench.atc.enable(true, true);
  bench.dma(false, 0x5000);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U);
}

}  // namespace
}  // namespace iommusim::devices
