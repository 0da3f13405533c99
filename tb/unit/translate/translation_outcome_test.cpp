// SPDX-License-Identifier: Apache-2.0
// Fault records' TTYP, PV, PID, PRIV and the effect of DTF; sizes of translations.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

TEST(FaultOutcome, TransactionTypes) {
  spec::Implementation implementation;
  implementation.ats = implementation.t2gpa = true;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 8);
  machine.attach(7, space, spec::dc_tc::kEnAts.mask() | spec::dc_tc::kT2gpa.mask());
  const auto type_of = [&](AddressType type, Access access, bool execute) {
    Request request = Machine::request(7, 0x1000, access);
    request.type = type;
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

}  // namespace iommusim::translate::test
