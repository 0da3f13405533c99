// SPDX-License-Identifier: Apache-2.0
// Mode functional: synchronous results, ATS and page-request messages, time, statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

TEST(Functional, TranslatesAtOnce) {
  Embedded embedded;
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  const auto request = Embedded::request(5, 0x1040);
  iommusim_result result;
  ASSERT_EQ(iommusim_advance(embedded.iommu, 50), IOMMUSIM_OK);
  ASSERT_EQ(iommusim_translate(embedded.iommu, &request, &result), IOMMUSIM_OK);
  EXPECT_EQ(result.address, 0x90000040U);
  EXPECT_EQ(result.accepted, 50U);
  EXPECT_EQ(result.done, 50U);
  EXPECT_TRUE(embedded.results.empty()) << "the answer is the return value";
}

TEST(Functional, TimeCountsCyclesAndNeverGoesBack) {
  Embedded embedded("implementation: {hpm: true, num_hpm: 2}");
  embedded.set(spec::kIocountinhOffset, 0, 4);
  EXPECT_EQ(iommusim_advance(embedded.iommu, 1000), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_now(embedded.iommu), 1000U);
  EXPECT_EQ(embedded.get(spec::kIohpmcyclesOffset, 8), 1000U);
  EXPECT_EQ(iommusim_advance(embedded.iommu, 999), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "cycle is 999, expected one from 1000 on");
}

TEST(Functional, AtsInvalidationsComplete) {
  Embedded embedded("implementation: {ats: true}");
  embedded.attach(5, embedded.space(), spec::dc_tc::kEnAts.mask());
  embedded.command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0x1000);
  ASSERT_EQ(embedded.messages.size(), 1U);
  const iommusim_message sent = embedded.messages[0];
  EXPECT_EQ(sent.kind, static_cast<std::uint32_t>(IOMMUSIM_INVALIDATION_REQUEST));
  EXPECT_EQ(sent.device, 5U);
  EXPECT_EQ(sent.segment_valid, 0U);
  EXPECT_EQ(sent.payload, 0x1000U);
  embedded.command(spec::opcode::kIofence);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_NOT_IDLE);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 1U) << "the fence waits";
  const std::uint32_t itags = 1U << sent.itag;
  EXPECT_EQ(iommusim_send_invalidation_completion(embedded.iommu, 6, 0, itags, 1), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(iommusim_send_invalidation_completion(embedded.iommu, 5, 0, itags, 8), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 1U);
  EXPECT_EQ(iommusim_send_invalidation_completion(embedded.iommu, 5, 0, itags, 1), IOMMUSIM_OK);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 2U);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
}

TEST(Functional, AtsInvalidationsTimeOut) {
  Embedded embedded("implementation: {ats: true}");
  embedded.command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0x1000);
  embedded.command(spec::opcode::kIofence);
  ASSERT_EQ(embedded.messages.size(), 1U);
  EXPECT_EQ(iommusim_time_out_invalidations(embedded.iommu, 1U << embedded.messages[0].itag), IOMMUSIM_OK);
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(embedded.get(spec::kCqcsrOffset)));
}

TEST(Functional, PageRequestsAreQueuedOrAnswered) {
  Embedded embedded("implementation: {ats: true}");
  embedded.attach(5, embedded.space(), spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
  iommusim_page_request request{};
  request.device = 5;
  request.payload = 0xabcde000 | 7;
  ASSERT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_OK);
  ASSERT_EQ(embedded.messages.size(), 1U) << "the queue is off: the IOMMU answers";
  EXPECT_EQ(embedded.messages[0].kind, static_cast<std::uint32_t>(IOMMUSIM_PAGE_RESPONSE));
  const std::uint64_t queue = embedded.frames.take();
  embedded.set(spec::kPqbOffset, queue >> 2 | 1);
  embedded.set(spec::kPqcsrOffset, spec::pqcsr::kPqen.mask(), 4);
  ASSERT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_OK);
  EXPECT_EQ(embedded.messages.size(), 1U);
  EXPECT_EQ(embedded.get(spec::kPqtOffset), 1U);
  EXPECT_EQ(embedded.memory.load(queue + 8), request.payload);
  request.device = 0x10005;
  EXPECT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_BAD_ARGUMENT) << "a segment unannounced";
}

TEST(Functional, StatisticsAreJsonAndReset) {
  Embedded embedded;
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  const auto statistics = [&] {
    char* const json = iommusim_statistics(embedded.iommu);
    std::string text = json;
    iommusim_free(json);
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
    return text;
  };
  ASSERT_EQ(iommusim_reset_statistics(embedded.iommu), IOMMUSIM_OK);
  embedded.run(Embedded::request(5, 0x1000));
  embedded.run(Embedded::request(5, 0x2000));
  const auto counter = [](const char* name, int value) {
    return '"' + std::string(name) + R"(":{"kind":"counter","unit":"count","value":)" + std::to_string(value) + '}';
  };
  EXPECT_EQ(statistics(), R"({"schema_version":1,"measured":{"embed":{"host":{)" + counter("accesses", 9) + ',' +
                              counter("messages", 0) + ',' + counter("wire_changes", 1) + R"(},"functional":{)" +
                              counter("translated", 1) + ',' + counter("faulted", 1) + "}}}}")
      << "twice a device context and three levels, once a fault record";
  ASSERT_EQ(iommusim_reset_statistics(embedded.iommu), IOMMUSIM_OK);
  EXPECT_NE(statistics().find(counter("translated", 0)), std::string::npos);
}

}  // namespace iommusim::embed::test
