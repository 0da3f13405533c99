// SPDX-License-Identifier: Apache-2.0
// PCIe messages in both modes: ATS invalidations, page requests, and what the IOMMU sends.
#include <gtest/gtest.h>

#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

/// The parameter is the configuration.
class Messages : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Modes, Messages,
                         testing::Values("implementation: {ats: true}", "{mode: cycle, implementation: {ats: true}}"),
                         [](const auto& info) { return info.index == 0 ? "Functional" : "Cycle"; });

TEST_P(Messages, AtsInvalidationsComplete) {
  Embedded embedded(GetParam());
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
  embedded.settle();
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 2U);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
}

TEST_P(Messages, AtsInvalidationsTimeOut) {
  Embedded embedded(GetParam());
  embedded.command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0x1000);
  embedded.command(spec::opcode::kIofence);
  ASSERT_EQ(embedded.messages.size(), 1U);
  EXPECT_EQ(iommusim_time_out_invalidations(embedded.iommu, 1U << embedded.messages[0].itag), IOMMUSIM_OK);
  embedded.settle();
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(embedded.get(spec::kCqcsrOffset)));
}

TEST_P(Messages, PageRequestsAreQueuedOrAnswered) {
  Embedded embedded(GetParam());
  embedded.attach(5, embedded.space(), spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
  iommusim_page_request request{};
  request.device = 5;
  request.payload = 0xabcde000 | 7;
  ASSERT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_OK);
  embedded.settle();
  ASSERT_EQ(embedded.messages.size(), 1U) << "the queue is off: the IOMMU answers";
  EXPECT_EQ(embedded.messages[0].kind, static_cast<std::uint32_t>(IOMMUSIM_PAGE_RESPONSE));
  const std::uint64_t queue = embedded.frames.take();
  embedded.set(spec::kPqbOffset, queue >> 2 | 1);
  embedded.set(spec::kPqcsrOffset, spec::pqcsr::kPqen.mask(), 4);
  ASSERT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_OK);
  embedded.settle();
  EXPECT_EQ(embedded.messages.size(), 1U);
  EXPECT_EQ(embedded.get(spec::kPqtOffset), 1U);
  EXPECT_EQ(embedded.memory.load(queue + 8), request.payload);
  request.device = 0x10005;
  EXPECT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_BAD_ARGUMENT) << "a segment unannounced";
}

class InterruptFiles : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Modes, InterruptFiles, testing::Values("functional", "cycle"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(InterruptFiles, AMessageIsStoredWhenItsDataIsThere) {
  const std::string yaml = std::string("{mode: ") + GetParam() +
                           ", implementation: {msi_flat: true, msi_mrif: true, qosid: true, qosid_mask: 0xffffffff}}";
  Embedded embedded(yaml.c_str());
  const AddressSpace space = embedded.space(0, 8);
  const std::uint64_t table = embedded.frames.take();
  constexpr std::uint64_t kFile = 0x123400, kNotice = 0x140000;
  embedded.memory.store(table + 16, 3 | kFile >> 2);
  embedded.memory.store(table + 24, 0x2aULL | kNotice >> 2);
  embedded.memory.store(kFile + 8, 1U << 9);
  const std::uint64_t words[] = {
      1, space.iohgatp(1), spec::dc_ta::kRcid.of(5) | spec::dc_ta::kMcid.of(6), space.fsc(), 1ULL << 60 | table >> 12,
      7, 0x28000};
  for (unsigned i = 0; i < 7; ++i) embedded.memory.store(embedded.ddt_root + 64 * 7 + 8 * i, words[i]);
  iommusim_request request = Embedded::request(7, 0x28001000, IOMMUSIM_WRITE);
  request.bytes = 4;
  request.data = 9;
  const iommusim_result told = embedded.run(request);
  EXPECT_EQ(told.msi, 2U);
  EXPECT_EQ(told.mrif_address, kFile);
  EXPECT_EQ(told.rcid, 5U);
  EXPECT_EQ(told.mcid, 6U);
  EXPECT_EQ(embedded.memory.load(kFile), 0U);
  request.flags = IOMMUSIM_STORE_MSI;
  const iommusim_result stored = embedded.run(request);
  EXPECT_EQ(stored.msi, 3U);
  EXPECT_EQ(stored.translated, 1U);
  EXPECT_EQ(embedded.memory.load(kFile), 1U << 9);
  EXPECT_EQ(embedded.memory.load32(kNotice), 0x2aU);
}

TEST(Cycle, PageRequestsAreHeldBackUntilTimeGoesOn) {
  Embedded embedded("{mode: cycle, implementation: {ats: true}, engine: {queues: {page_request_depth: 1}}}");
  iommusim_page_request request{};
  request.device = 5;
  request.payload = 7;
  unsigned taken = 0;
  iommusim_status status = IOMMUSIM_OK;
  for (; taken < 8 && status == IOMMUSIM_OK; ++taken) status = iommusim_send_page_request(embedded.iommu, &request);
  EXPECT_EQ(status, IOMMUSIM_HELD_BACK);
  embedded.settle();
  EXPECT_EQ(iommusim_send_page_request(embedded.iommu, &request), IOMMUSIM_OK);
  embedded.settle();
  EXPECT_EQ(embedded.messages.size(), taken) << "those that were taken are answered: the queue is off";
}

}  // namespace iommusim::embed::test
