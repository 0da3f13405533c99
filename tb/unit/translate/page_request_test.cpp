// SPDX-License-Identifier: Apache-2.0
// Page requests (IOMMU 2.7, 3.3): queueing, overflow, faults, and what the IOMMU answers itself.
#include "translate/page_request.h"

#include <gtest/gtest.h>

#include <optional>

#include "machine.h"

namespace iommusim::translate::test {

struct PageRequests : MessagePort {
  Machine machine;
  FunctionalEngine engine;
  std::vector<DeviceMessage> sent;
  std::uint64_t queue;
  PageRequests()
      : machine([] {
          spec::Implementation implementation;
          implementation.ats = true;
          implementation.pd20 = true;
          return implementation;
        }()),
        engine(machine.registers, machine.memory, this),
        queue(machine.frames.take()) {
    machine.write(spec::kPqbOffset, queue >> 2 | 1);  // 4 entries
    machine.write32(spec::kPqcsrOffset, 3);
    attach(spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
  }
  void send(const DeviceMessage& message) override { sent.push_back(message); }
  void attach(std::uint64_t tc) { machine.attach(0x51234, machine.space(0, 0), tc); }
  /// The response code of what the IOMMU answers to a request for a page, or nothing.
  std::optional<unsigned> request(std::uint64_t payload = 7, bool process = false) {
    sent.clear();
    PageRequest request;
    request.function = {0x1234, true, 5};
    request.process_valid = process;
    request.process = base::ProcessId(0x99);
    request.privileged = request.execute = process;
    request.payload = payload;
    engine.page_request(request);
    if (sent.empty()) return std::nullopt;
    EXPECT_EQ(sent[0].kind, DeviceMessage::Kind::kPageResponse);
    EXPECT_TRUE(sent[0].function == request.function);
    EXPECT_EQ(sent[0].payload >> 48, 0x1234U);
    EXPECT_EQ(sent[0].payload >> 32 & 0x1ff, payload >> 3 & 0x1ff);
    return static_cast<unsigned>(sent[0].payload >> 44 & 15);
  }
};

TEST(PageRequest, IsQueuedAndRaisesTheInterrupt) {
  PageRequests requests;
  EXPECT_EQ(requests.request(0xabcde000 | 0x1f << 3 | 7, true), std::nullopt);
  EXPECT_EQ(requests.machine.memory.load(requests.queue), 0x51234ULL << 40 | 7ULL << 32 | 0x99ULL << 12);
  EXPECT_EQ(requests.machine.memory.load(requests.queue + 8), 0xabcde000U | 0x1f << 3 | 7);
  EXPECT_EQ(requests.machine.read32(spec::kPqtOffset), 1U);
  EXPECT_EQ(requests.machine.read32(spec::kIpsrOffset), spec::ipsr::kPip.mask());
  requests.request(7, false);
  EXPECT_EQ(requests.machine.memory.load(requests.queue + 16), 0x51234ULL << 40) << "PRIV and EXEC want a PASID";
}

TEST(PageRequest, FullQueueOverflowsAndAnswersSuccess) {
  PageRequests requests;
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(requests.request(), std::nullopt);
  EXPECT_EQ(requests.request(), 0U);
  EXPECT_TRUE(spec::pqcsr::kPqof.is_set(requests.machine.read32(spec::kPqcsrOffset)));
  requests.machine.write32(spec::kPqhOffset, 2);
  EXPECT_EQ(requests.request(), 0U) << "pqof holds";
  EXPECT_EQ(requests.request(3), std::nullopt) << "not the last of its group";
  EXPECT_EQ(requests.request(4, true), std::nullopt) << "a Stop Marker is never answered";
  EXPECT_TRUE(requests.machine.take_records().empty());
}

TEST(PageRequest, MemoryFaultAndQueueOffAnswerFailure) {
  PageRequests requests;
  requests.machine.memory.failing[requests.queue] = MemoryStatus::kAccessFault;
  EXPECT_EQ(requests.request(7, true), 15U);
  EXPECT_TRUE(requests.sent[0].process_valid) << "a failure carries the PASID";
  EXPECT_TRUE(spec::pqcsr::kPqmf.is_set(requests.machine.read32(spec::kPqcsrOffset)));
  EXPECT_EQ(requests.machine.read32(spec::kPqtOffset), 0U);
  EXPECT_EQ(requests.request(), 15U);
  requests.machine.write32(spec::kPqcsrOffset, 0);
  EXPECT_EQ(requests.request(), 15U);
  EXPECT_TRUE(requests.machine.take_records().empty());
}

TEST(PageRequest, FaultsAreRecordedAsMessages) {
  PageRequests requests;
  requests.attach(spec::dc_tc::kEnAts.mask());
  EXPECT_EQ(requests.request(7, true), 1U) << "EN_PRI = 0: Invalid Request";
  EXPECT_FALSE(requests.sent[0].process_valid) << "PRPR = 0";
  requests.machine.memory.store(requests.machine.directory_entry(0x51234), 0);
  EXPECT_EQ(requests.request(7, true), 15U) << "no context: Response Failure";
  const auto records = requests.machine.take_records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].cause, 260U);
  EXPECT_EQ(records[1].cause, 258U);
  EXPECT_EQ(records[0].ttyp, 9U);
  EXPECT_EQ(records[0].iotval, 4U);
  EXPECT_EQ(records[0].pid, 0x99U);
}

TEST(PageRequest, PrprPutsThePasidIntoResponses) {
  PageRequests requests;
  requests.attach(spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask() | spec::dc_tc::kPrpr.mask());
  for (unsigned i = 0; i < 3; ++i) requests.request();
  EXPECT_EQ(requests.request(7, true), 0U);
  EXPECT_TRUE(requests.sent[0].process_valid);
  EXPECT_EQ(requests.sent[0].process.value, 0x99U);
}

}  // namespace iommusim::translate::test
