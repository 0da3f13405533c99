// SPDX-License-Identifier: Apache-2.0
// Invalidations of an ATC.
#include "atc_bench.h"

namespace iommusim::devices {
namespace {

using namespace atc_bench;
constexpr auto kCompletion = MessageExtension::Kind::kInvalidationCompletion;

const translate::InvalidationCompletion& completion(const AtcBench& bench, std::size_t index) {
  return bus::message_of(*bench.iommu.requests[bench.sent(kCompletion).at(index)].payload).completion;
}

SC_TEST(AtcInvalidations, AfterInvalidationNsEntriesGoAndTheCompletionNamesTheTag) {
  AtcParams params;
  params.invalidation_ns = 150;
  AtcBench bench(params);
  bench.warm(0x5000, 0x95000);
  bench.warm(0x6000, 0x96000);
  bench.send_message(translate::DeviceMessage::Kind::kInvalidationRequest, 0x5000, 9);
  bench.wait(49);
  EXPECT_EQ(bench.sent(kCompletion).size(), 0U);
  bench.wait(1);
  ASSERT_EQ(bench.sent(kCompletion).size(), 1U) << "invalidation_ns";
  EXPECT_EQ(completion(bench, 0).itag_vector, 1U << 9);
  EXPECT_EQ(completion(bench, 0).count, 1);
  EXPECT_EQ(completion(bench, 0).function.rid, kDevice);
  bench.dma(false, 0x5000);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 3U);
  bench.dma(false, 0x6000);
  EXPECT_EQ(bench.sent(AddressType::kAtsRequest).size(), 3U) << "another page stays";
  EXPECT_EQ(bench.atc.statistics().invalidated.value(), 1U);
}

SC_TEST(AtcInvalidations, ReadsAreAnsweredBeforeTheCompletion) {
  AtcBench bench;
  bench.warm(0x5000, 0x95000);
  bench.dma(false, 0x5000);
  const std::size_t read = bench.sent(AddressType::kTranslated).back();
  bench.invalidate(0x5000);
  EXPECT_EQ(bench.sent(kCompletion).size(), 0U);
  EXPECT_EQ(bench.atc.statistics().drained.value(), 1U);
  bench.respond(read);
  EXPECT_EQ(bench.sent(kCompletion).size(), 1U);
}

SC_TEST(AtcInvalidations, WritesAreSentBeforeTheCompletion) {
  AtcBench bench;
  bench.warm(0x5000, 0x95000);
  bench.iommu.answer = sc_test::RawTarget::Answer::kHold;  // the link is held back
  bench.dma(true, 0x5000);
  bench.dma(true, 0x5040);
  const std::size_t first = bench.iommu.requests.size() - 1;
  bench.invalidate(0x5000);
  EXPECT_EQ(bench.sent(kCompletion).size(), 0U);
  bench.iommu.answer = sc_test::RawTarget::Answer::kAccept;
  bench.iommu.end_request(first);
  bench.wait();
  ASSERT_EQ(bench.sent(kCompletion).size(), 1U) << "without an answer to the writes";
  EXPECT_GT(bench.sent(kCompletion)[0], bench.sent(AddressType::kTranslated).back()) << "posted order";
}

SC_TEST(AtcInvalidations, ACompletionOnItsWayIsOvertakenAndAskedForAgain) {
  AtcBench bench;
  bench.dma(false, 0x5000);
  bench.invalidate(0x5000);
  EXPECT_EQ(bench.sent(kCompletion).size(), 1U) << "nothing uses the page";
  bench.complete(0, 0x95000, true, true);
  EXPECT_EQ(bench.sent(AddressType::kTranslated).size(), 0U);
  ASSERT_EQ(bench.sent(AddressType::kAtsRequest).size(), 2U);
  bench.complete(1, 0x77000, true, true);
  EXPECT_EQ(bench.iommu.requests.back().address, 0x77000U);
  EXPECT_EQ(bench.atc.statistics().overtaken.value(), 1U);
}

SC_TEST(AtcInvalidations, CompletionMessagesAndTheirCount) {
  AtcParams params;
  params.completion_messages = 8;
  AtcBench bench(params);
  bench.invalidate(0x5000, 3);
  ASSERT_EQ(bench.sent(kCompletion).size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(completion(bench, i).itag_vector, 1U << 3);
    EXPECT_EQ(completion(bench, i).count, 0) << "ATS codes 8 as 0";
  }
}

SC_TEST(AtcInvalidations, SeveralThatEndTogetherShareAMessage) {
  AtcParams params;
  params.invalidation_ns = 0;
  AtcBench bench(params);
  bench.warm(0x5000, 0x95000);
  bench.dma(false, 0x5000);
  const std::size_t read = bench.sent(AddressType::kTranslated).back();
  bench.invalidate(0x5000, 3);
  bench.invalidate(0x4000 | 1 << 11, 5);
  bench.respond(read);
  ASSERT_EQ(bench.sent(kCompletion).size(), 1U);
  EXPECT_EQ(completion(bench, 0).itag_vector, 1U << 3 | 1U << 5);
}

SC_TEST(AtcInvalidations, AnswerInvalidationsIsFalseForABrokenDevice) {
  AtcParams params;
  params.answer_invalidations = false;
  AtcBench bench(params);
  bench.invalidate(0x5000, 3);
  EXPECT_EQ(bench.sent(kCompletion).size(), 0U);
  EXPECT_EQ(bench.atc.statistics().invalidations_ignored.value(), 1U);
  EXPECT_TRUE(bench.atc.idle());
}

}  // namespace
}  // namespace iommusim::devices
