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

// With fqon = 1 and DTF = 0 every fault is in the queue or an error bit tells of the loss.
RC_GTEST_PROP(FaultReport, NoRecordIsLostSilently, ()) {
  Machine machine;
  std::size_t faults = 0;
  std::size_t seen = 0;
  const auto steps = *rc::gen::container<std::vector<unsigned>>(200, rc::gen::inRange(0U, 100U));
  for (const unsigned step : steps) {
    if (step < 90) {
      machine.translate(7, 0x1000);
      ++faults;
    } else if (step < 94) {
      seen += machine.take_records().size();
    } else if (step < 96) {
      machine.memory.failing[machine.fault_address(step)] = MemoryStatus::kAccessFault;
    }
    const bool error = (machine.read32(spec::kFqcsrOffset) & 0x300) != 0;
    const std::size_t queued = (machine.read32(spec::kFqtOffset) - machine.read32(spec::kFqhOffset)) % 128;
    RC_ASSERT(error || seen + queued == faults);
    if (error) return;
  }
}

}  // namespace iommusim::translate::test
