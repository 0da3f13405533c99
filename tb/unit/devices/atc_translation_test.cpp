// SPDX-License-Identifier: Apache-2.0
// Page requests of an ATC.
#include "atc_bench.h"

namespace iommusim::devices {
namespace {

using namespace atc_bench;
constexpr unsigned kSuccess = 0, kInvalid = 1, kFailure = 15;

SC_TEST(AtcPageRequests, WithoutPriADeniedAccessEnds) {
  AtcBench bench({}, true, false);
  PooledPayload& write = bench.dma(true, 0x5000);
  bench.complete(0, 0x95000, true, false);
  EXPECT_EQ(write.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_TRUE(bench.ended(write));
  EXPECT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 0U);
  bench.dma(false, 0x5000);
  EXPECT_EQ(bench.sent(AddressType::kTranslated).size(), 1U) << "what was granted is held";
}

SC_TEST(AtcPageRequests, AskedGrantedAndTriedAgainAfterRetryNs) {
  AtcParams params;
  params.retry_ns = 700;
  AtcBench bench(params);
  PooledPayload& write = bench.dma(true, 0x5010);
  bench.complete(0, 0, false, false);
  ASSERT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 1U);
  EXPECT_EQ(bench.page_request(0), 0x5000U | 4 | 2) << "group 0, last, write";
  bench.dma(true, 0x5020);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 1U) << "it waits too";
  bench.page_response(0, kSuccess);
  bench.wait(599);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 1U);
  bench.wait(1);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U);
  bench.complete(1, 0x95000, true, true);
  const auto writes = bench.sent(AddressType::kTranslated);
  ASSERT_EQ(writes.size(), 2U);
  bench.respond(writes[0]);
  EXPECT_TRUE(bench.ended(write));
  EXPECT_TRUE(write.is_response_ok());
}

SC_TEST(AtcPageRequests, RefusedPagesEndTheirDmaAndNoOther) {
  AtcBench bench;
  PooledPayload& first = bench.dma(false, 0x5000);
  bench.complete(0, 0, false, false);
  PooledPayload& second = bench.dma(false, 0x6000);
  bench.complete(1, 0, false, false);
  EXPECT_EQ(bench.page_request(1), 0x6000U | 1 << 3 | 4 | 1);
  bench.page_response(0, kInvalid);
  EXPECT_TRUE(bench.ended(first));
  EXPECT_EQ(first.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_FALSE(bench.ended(second));
  EXPECT_EQ(bench.atc.statistics().responses_invalid.value(), 1U);
}

SC_TEST(AtcPageRequests, AFailureIsTheEndOfPageRequests) {
  AtcBench bench;
  PooledPayload& first = bench.dma(false, 0x5000);
  bench.complete(0, 0, false, false);
  bench.page_response(0, kFailure);
  EXPECT_EQ(first.dma.response, translate::Response::kCompleterAbort);
  PooledPayload& second = bench.dma(false, 0x6000);
  bench.complete(1, 0, false, false);
  EXPECT_TRUE(bench.ended(second));
  EXPECT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 1U);
}

SC_TEST(AtcPageRequests, PageRequestsAndPagesPerGroupOfThoseThatFaultTogether) {
  AtcParams params;
  params.page_requests = 3;
  params.pages_per_group = 2;
  AtcBench bench(params);
  for (std::uint64_t page = 0; page < 5; ++page) bench.dma(false, 0x10000 + page * 0x1000);
  // All completions at one time.
  for (const std::size_t number : bench.sent(AddressType::kAtsRequest)) {
    bus::ats_of(*bench.iommu.requests[number].payload).completion = {};
    bench.iommu.respond(number);
  }
  bench.wait();
  ASSERT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 3U) << "page_requests";
  EXPECT_EQ(bench.page_request(0), 0x10000U | 0 << 3 | 1);
  EXPECT_EQ(bench.page_request(1), 0x11000U | 0 << 3 | 4 | 1);
  EXPECT_EQ(bench.page_request(2), 0x12000U | 1 << 3 | 4 | 1);
  bench.page_response(0, kInvalid);
  ASSERT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 5U);
  EXPECT_EQ(bench.page_request(4), 0x14000U | 2 << 3 | 4 | 1);
  bench.page_response(0, kSuccess);
  EXPECT_EQ(bench.atc.statistics().responses_unexpected.value(), 1U) << "that group is closed";
}

SC_TEST(AtcPageRequests, PageRequestRetries) {
  AtcParams params;
  params.page_request_retries = 2;
  params.retry_ns = 0;
  AtcBench bench(params);
  PooledPayload& read = bench.dma(false, 0x5000);
  bench.complete(0, 0, false, false);
  bench.page_response(0, kSuccess);
  bench.complete(1, 0, false, false);
  bench.page_response(1, kSuccess);
  EXPECT_FALSE(bench.ended(read));
  bench.complete(2, 0, false, false);
  EXPECT_TRUE(bench.ended(read)) << "software says that the page is there, and it is not";
  EXPECT_EQ(bench.sent(MessageExtension::Kind::kPageRequest).size(), 2U);
}

}  // namespace
}  // namespace iommusim::devices
