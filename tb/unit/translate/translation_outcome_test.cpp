// SPDX-License-Identifier: Apache-2.0
// Fault records' TTYP, PV, PID, PRIV and the effect of DTF; sizes of translations.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

TEST(FaultOutcome, TransactionTypes) {
  spec::Implementation implementation;
  Machine machine(implementation);
  const auto type_of = [&](AddressType type, Access access, bool execute, bool process = true) {
    Request request = Machine::request(7, 0x1000, access);
    request.type = type;
    request.process_valid = process;
    request.execute = execute;
    return machine.engine.translate(request).fault.transaction_type;
  };
  EXPECT_EQ(type_of(AddressType::kUntranslated, Access::kRead, true), 1);
  EXPECT_EQ(type_of(AddressType::kUntranslated, Access::kRead, false), 2);
  EXPECT_EQ(type_of(AddressType::kUntranslated, Access::kWrite, false), 3);
  EXPECT_EQ(type_of(AddressType::kUntranslated, Access::kAtomic, false), 3);
  EXPECT_EQ(type_of(AddressType::kTranslated, Access::kRead, true), 5);
  EXPECT_EQ(type_of(AddressType::kTranslated, Access::kRead, false), 6);
  EXPECT_EQ(type_of(AddressType::kTranslated, Access::kWrite, false), 7);
  EXPECT_EQ(type_of(AddressType::kTranslated, Access::kRead, true, false), 6) << "PCIe executes with a PASID only";
  EXPECT_EQ(type_of(AddressType::kAtsRequest, Access::kRead, false), 8);
  EXPECT_EQ(type_of(AddressType::kMessage, Access::kRead, false), 9);
}

TEST(FaultOutcome, ProcessFieldsOnlyWithAProcess) {
  Machine machine;
  machine.attach(7, machine.space(0, 0));
  Request request = Machine::request(7, 0x1000);
  request.process = base::ProcessId(0x123);
  request.privileged = true;
  request.type = AddressType::kTranslated;
  machine.engine.translate(request);
  request.process_valid = true;
  machine.engine.translate(request);
  const auto records = machine.take_records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(!records[0].pv && !records[0].priv && records[0].pid == 0);
  EXPECT_TRUE(records[1].pv && records[1].priv && records[1].pid == 0x123);
  EXPECT_EQ(records[0].did, 7U);
}

TEST(FaultOutcome, DtfSuppressesTheRecordNotTheResponse) {
  Machine machine;
  AddressSpace space = machine.space(8, 0);
  machine.attach(7, space, spec::dc_tc::kDtf.mask());
  const Outcome page_fault = machine.translate(7, 0x1000);
  EXPECT_EQ(page_fault.fault.cause, 13);
  EXPECT_EQ(page_fault.response, Response::kUnsupportedRequest);
  EXPECT_FALSE(page_fault.record_fault);
  Request request = Machine::request(7, 0x1000);
  request.process_valid = true;
  EXPECT_FALSE(machine.engine.translate(request).record_fault) << "260 after the context was located";
  EXPECT_TRUE(machine.take_records().empty());
  machine.memory.failing[machine.directory_entry(7)] = MemoryStatus::kAccessFault;
  EXPECT_TRUE(machine.translate(7, 0x1000).record_fault) << "257: no context, DTF counts as 0";
  machine.memory.failing.clear();
  machine.attach(7, space, spec::dc_tc::kDtf.mask() | 1 << 12);
  EXPECT_TRUE(machine.translate(7, 0x1000).record_fault) << "259";
}

TEST(FaultOutcome, EveryFaultIsRecordedAlsoAfterAnotherDevicesDtf) {
  Machine machine({}, 1);
  AddressSpace space = machine.space(8, 0);
  machine.attach(7, space, spec::dc_tc::kDtf.mask());
  machine.translate(7, 0x1000);
  EXPECT_TRUE(machine.translate(0x100000, 0x1000).record_fault) << "260 for its width";
}

TEST(Translated, SizeIsTheSmallerStages) {
  Machine machine;
  AddressSpace space = machine.space(8, 8, 1);
  space.map(0x40000000, 0x80000000, 2);
  space.map(0x1000, 0x3000, 0);
  machine.attach(7, space);
  EXPECT_EQ(machine.translate(7, 0x40000000).size_log2, 21);
  EXPECT_EQ(machine.translate(7, 0x1000).size_log2, 12);
}

/// ATS requests of device 7, process 5, over Sv39 (and Sv39x4 with T2GPA).
struct AtsRequests {
  Machine machine;
  AddressSpace space;
  explicit AtsRequests(std::uint64_t tc = 0, unsigned second_mode = 0)
      : machine([] {
          spec::Implementation implementation;
          implementation.ats = implementation.t2gpa = implementation.svpbmt = true;
          return implementation;
        }()),
        space(machine.space(8, second_mode)) {
    machine.attach(7, space, tc | spec::dc_tc::kEnAts.mask());
  }
  Outcome request(std::uint64_t iova, bool no_write = false, bool cxl = false) {
    Request ats = Machine::request(7, iova);
    ats.type = AddressType::kAtsRequest;
    ats.no_write = no_write;
    ats.cxl = cxl;
    return machine.engine.translate(ats);
  }
};

TEST(AtsRequest, GrantsWhatTheTablesPermit) {
  AtsRequests ats;
  ats.space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kW);
  ats.space.map(0x2000, 0x4000);
  const Outcome read_only = ats.request(0x1000);
  EXPECT_EQ(read_only.response, Response::kSuccess);
  EXPECT_TRUE(read_only.ats.r && !read_only.ats.w && !read_only.ats.x);
  EXPECT_EQ(read_only.spa, 0x3000U);
  EXPECT_TRUE(ats.request(0x2000).ats.w);
}

TEST(AtsRequest, PageFaultsGrantNothingAndLeaveNoRecord) {
  AtsRequests ats;
  ats.space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kU);
  for (const std::uint64_t iova : {0x1000, 0x5000}) {
    const Outcome outcome = ats.request(iova);
    EXPECT_EQ(outcome.response, Response::kSuccess);
    EXPECT_FALSE(outcome.ats.r || outcome.ats.w);
  }
  EXPECT_TRUE(ats.machine.take_records().empty());
}

TEST(AtsRequest, ErrorsAreAnsweredByCauseAndRecorded) {
  AtsRequests ats;
  ats.machine.memory.failing[ats.space.first_entry(0x1000, 2)] = MemoryStatus::kAccessFault;
  EXPECT_EQ(ats.request(0x1000).response, Response::kCompleterAbort);
  ats.machine.attach(7, ats.space);
  EXPECT_EQ(ats.request(0x1000).response, Response::kUnsupportedRequest) << "EN_ATS = 0";
  const auto records = ats.machine.take_records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].cause, 5U);
  EXPECT_EQ(records[0].ttyp, 8U);
  EXPECT_EQ(records[1].cause, 260U);
}

TEST(AtsRequest, WritePermissionComesWithD) {
  AtsRequests fixed;
  fixed.space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kD);
  EXPECT_TRUE(fixed.request(0x1000).ats.r && !fixed.request(0x1000).ats.w) << "D cannot be set";
  AtsRequests updated(spec::dc_tc::kSade.mask());
  updated.space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kD);
  const std::uint64_t pte = updated.space.first_entry(0x1000, 0);
  EXPECT_FALSE(updated.request(0x1000, true).ats.w);
  EXPECT_FALSE(updated.machine.memory.load(pte) & flags::kD) << "No Write sets no D";
  EXPECT_TRUE(updated.request(0x1000).ats.w);
  EXPECT_TRUE(updated.machine.memory.load(pte) & flags::kD);
}

// IOMMU 2.6: a device that caches by CXL.cache is told to use CXL.io where the memory type is not PMA.
TEST(AtsRequest, CxlIoFollowsTheMemoryType) {
  AtsRequests ats;
  for (std::uint64_t type = 0; type < 3; ++type) {
    const std::uint64_t iova = 0x1000 * (type + 1);
    ats.space.map(iova, 0x3000);
    const std::uint64_t pte = ats.space.first_entry(iova, 0);
    ats.machine.memory.store(pte, ats.machine.memory.load(pte) | type << 61);
    EXPECT_EQ(ats.request(iova, false, true).ats.cxl_io, type != 0) << type;
    EXPECT_FALSE(ats.request(iova, false, false).ats.cxl_io) << "not a CXL device";
    EXPECT_FALSE(ats.request(iova, false, true).ats.untranslated_only);
  }
}

TEST(AtsRequest, T2gpaAnswersWithTheGuestAddress) {
  AtsRequests ats(spec::dc_tc::kT2gpa.mask(), 8);
  ats.space.map(0x1000, 0x3000);
  const Outcome outcome = ats.request(0x1000, false, true);
  EXPECT_EQ(outcome.spa, 0x3000U);
  EXPECT_TRUE(outcome.ats.cxl_io);
  // On a hit as on a miss.
  Translation translation;
  Request request = Machine::request(7, 0x1000);
  request.type = AddressType::kAtsRequest;
  translation.start(request, ats.machine.registers);
  spec::DeviceContext context;
  for (unsigned i = 0; i < 4; ++i) context.words[i] = ats.machine.memory.load(ats.machine.directory_entry(7) + 8 * i);
  translation.hit(context);
  TranslationEntry entry;
  entry.gpa = 0x3000;
  entry.spa = 0x3000 + kGuestOffset;
  entry.first = entry.second = {true, true, true, false, true, false, true, 12};
  translation.hit(entry);
  EXPECT_EQ(translation.outcome().spa, 0x3000U);
}

TEST(Outcome, QosIdsAreThoseOfTheRegisterWhileTheDirectoryIsBare) {
  spec::Implementation implementation;
  implementation.qosid = true;
  implementation.qosid_mask = ~0U;
  Machine machine(implementation, 3, FunctionalCacheParams{});
  spec::DeviceContext context;
  context.words = {1, 0, spec::dc_ta::kRcid.of(0xabc) | spec::dc_ta::kMcid.of(0xdef), 0};
  machine.set_context(5, context);
  machine.write32(spec::kIommuQosidOffset, spec::iommu_qosid::kRcid.of(1) | spec::iommu_qosid::kMcid.of(2));
  EXPECT_EQ(machine.translate(5, 0x1000).qos, (QosId{0xabc, 0xdef}));
  machine.write(spec::kDdtpOffset, 1);
  EXPECT_EQ(machine.translate(5, 0x1000).qos, (QosId{1, 2}));
  machine.write32(spec::kIommuQosidOffset, spec::iommu_qosid::kRcid.of(3) | spec::iommu_qosid::kMcid.of(4));
  EXPECT_EQ(machine.translate(5, 0x1000).qos, (QosId{3, 4}));
}

}  // namespace iommusim::translate::test
