// SPDX-License-Identifier: Apache-2.0
// Fault records (IOMMU 3.2): format, overflow, memory faults, discarding, and that none is lost silently.
#include "translate/fault.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

FaultRecord sample_record() {
  FaultRecord record;
  record.cause = 21;
  record.transaction_type = 2;
  record.device = base::DeviceId(0xabcdef);
  record.process = base::ProcessId(0x54321);
  record.process_valid = record.privileged = true;
  record.iotval = 0x123456789abcdef0;
  record.iotval2 = 0xfedcba9876543211;
  return record;
}

TEST(FaultRecord, IsEncodedAsDrawn) {
  const auto words = encode(sample_record());
  EXPECT_EQ(words[0], 21ULL | 0x54321ULL << 12 | 1ULL << 32 | 1ULL << 33 | 2ULL << 34 | 0xabcdefULL << 40);
  EXPECT_EQ(words[1], 0U);
  EXPECT_EQ(words[2], 0x123456789abcdef0U);
  EXPECT_EQ(words[3], 0xfedcba9876543211U);
}

TEST(FaultReport, IsBigEndianWithBe) {
  spec::Implementation implementation;
  implementation.end = true;
  implementation.fctl = spec::fctl::kBe.mask();
  Machine machine(implementation);
  FaultReport report;
  report.start(sample_record(), machine.registers);
  EXPECT_EQ(report.ask().memory.data[2], 0xf0debc9a78563412U);
}

TEST(FaultReport, OverflowSetsFqofAndHoldsUntilCleared) {
  Machine machine;
  for (unsigned i = 0; i < 127; ++i) machine.translate(7, 0x1000 * i);
  EXPECT_FALSE(spec::fqcsr::kFqof.is_set(machine.read32(spec::kFqcsrOffset)));
  machine.translate(7, 0xaaaa000);
  EXPECT_TRUE(spec::fqcsr::kFqof.is_set(machine.read32(spec::kFqcsrOffset)));
  EXPECT_EQ(machine.take_records().size(), 127U);
  machine.translate(7, 0xbbbb000);
  EXPECT_TRUE(machine.take_records().empty()) << "discarded while fqof is set";
  machine.write32(spec::kFqcsrOffset, 3 | spec::fqcsr::kFqof.mask());
  machine.translate(7, 0xcccc000);
  const auto records = machine.take_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].iotval, 0xcccc000U);
}

TEST(FaultReport, FailedStoreSetsFqmfAndKeepsTheTail) {
  Machine machine;
  machine.memory.failing[machine.fault_address(0) + 8] = MemoryStatus::kAccessFault;
  machine.translate(7, 0x1000);
  EXPECT_TRUE(spec::fqcsr::kFqmf.is_set(machine.read32(spec::kFqcsrOffset)));
  EXPECT_EQ(machine.read32(spec::kFqtOffset), 0U);
  EXPECT_TRUE(spec::ipsr::kFip.is_set(machine.read32(spec::kIpsrOffset)));
}

TEST(FaultReport, QueueThatIsOffTakesNothing) {
  Machine machine;
  machine.write32(spec::kFqcsrOffset, 0);
  machine.memory.clear_counts();
  machine.translate(7, 0x1000);
  EXPECT_EQ(machine.memory.writes, 0U);
  EXPECT_EQ(machine.read32(spec::kFqcsrOffset), 0U);
}

spec::Implementation merging(bool merge) {
  spec::Implementation implementation;
  implementation.merge_faults = merge;
  return implementation;
}

TEST(FaultReport, IdenticalFaultsAreMergedOnlyWhenTheParameterSaysSo) {
  for (const bool merge : {false, true}) {
    Machine machine(merging(merge));
    for (int i = 0; i < 3; ++i) machine.translate(7, 0x1000);
    EXPECT_EQ(machine.read32(spec::kFqtOffset), merge ? 1U : 3U);
  }
}

TEST(FaultReport, MergingIsWithTheNewestRecordOfTheQueueOnly) {
  Machine machine(merging(true));
  const auto tail_after = [&](std::uint32_t device, std::uint64_t iova, Access access = Access::kRead) {
    machine.translate(device, iova, access);
    return machine.read32(spec::kFqtOffset);
  };
  EXPECT_EQ(tail_after(7, 0x1000), 1U);
  EXPECT_EQ(tail_after(7, 0x1000), 1U);
  EXPECT_EQ(tail_after(7, 0x1008), 2U) << "another address";
  EXPECT_EQ(tail_after(7, 0x1000), 3U) << "another one came between";
  EXPECT_EQ(tail_after(8, 0x1000), 4U) << "another device";
  EXPECT_EQ(tail_after(8, 0x1000, Access::kWrite), 5U) << "another access";
  machine.take_records();
  EXPECT_EQ(tail_after(8, 0x1000, Access::kWrite), 6U) << "software has taken the one before";
  EXPECT_EQ(tail_after(8, 0x1000, Access::kWrite), 6U);
  machine.write32(spec::kFqcsrOffset, 0);
  machine.write32(spec::kFqcsrOffset, spec::fqcsr::kFqen.mask());
  machine.write32(spec::kFqhOffset, 5);
  EXPECT_EQ(tail_after(8, 0x1000, Access::kWrite), 1U) << "another life of the queue";
}

TEST(FaultReport, AFullQueueDoesNotOverflowByWhatIsMerged) {
  Machine machine(merging(true));
  for (unsigned i = 0; i < 127; ++i) machine.translate(7, 0x1000 * i);
  machine.translate(7, 0x1000 * 126);
  EXPECT_FALSE(spec::fqcsr::kFqof.is_set(machine.read32(spec::kFqcsrOffset)));
  machine.translate(7, 0x1000 * 125);
  EXPECT_TRUE(spec::fqcsr::kFqof.is_set(machine.read32(spec::kFqcsrOffset)));
  EXPECT_EQ(machine.take_records().size(), 127U);
}

// With fqon = 1 and DTF = 0 every fault is in the queue, on its own or as one with its like, or an error bit tells of
// the loss.
RC_GTEST_PROP(FaultReport, NoRecordIsLostSilently, (bool merge)) {
  Machine machine(merging(merge));
  std::vector<std::uint64_t> faults;  // addresses, as they should be found
  std::vector<std::uint64_t> seen;
  const auto take = [&] {
    for (const Record& record : machine.take_records()) seen.push_back(record.iotval);
  };
  const auto steps = *rc::gen::container<std::vector<unsigned>>(200, rc::gen::inRange(0U, 100U));
  for (const unsigned step : steps) {
    const bool error = (machine.read32(spec::kFqcsrOffset) & 0x300) != 0;
    if (step < 90) {
      const std::uint64_t iova = 0x1000 * (step % 3);
      machine.translate(7, iova);
      const bool is_lost = !error && (machine.read32(spec::kFqcsrOffset) & 0x300) != 0;
      const bool is_merged = merge && !faults.empty() && faults.size() > seen.size() && faults.back() == iova;
      if (!error && !is_lost && !is_merged) faults.push_back(iova);
    } else if (step < 94) {
      take();
      RC_ASSERT(seen == faults);
    } else if (step < 96) {
      machine.memory.failing[machine.fault_address(step)] = MemoryStatus::kAccessFault;
    } else if (step < 98) {  // recovery, as a driver does it
      machine.memory.failing.clear();
      machine.write32(spec::kFqcsrOffset, machine.read32(spec::kFqcsrOffset));
    }
  }
  take();
  RC_ASSERT(seen == faults);
}

}  // namespace iommusim::translate::test
