// SPDX-License-Identifier: Apache-2.0
#include "translate/interrupt.h"

#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

void aim_vector(Machine& machine, unsigned vector, std::uint64_t address, std::uint32_t data) {
  machine.write(spec::kMsiAddrOffset + 16 * vector, address);
  machine.write32(spec::kMsiDataOffset + 16 * vector, data);
}

TEST(InterruptMessage, IsWrittenOnceAnEdge) {
  Machine machine;
  machine.write(spec::kIcvecOffset, 3 << 4);
  aim_vector(machine, 3, 0x90000008, 0x1234);
  machine.translate(7, 0x1000);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0x1234U);
  machine.memory.store(0x90000008, 0);
  machine.translate(7, 0x2000);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0U) << "fip is still 1";
  machine.write32(spec::kIpsrOffset, spec::ipsr::kFip.mask());
  machine.translate(7, 0x3000);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0x1234U);
}

TEST(InterruptMessage, FollowsTheByteOrder) {
  spec::Implementation implementation;
  implementation.end = true;
  implementation.fctl = spec::fctl::kBe.mask();
  Machine machine(implementation);
  aim_vector(machine, 0, 0x90000008, 0x12345678);
  machine.translate(7, 0x1000);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0x78563412U);
}

TEST(InterruptMessage, FailureIsReportedWithItsAddress) {
  Machine machine;
  machine.write(spec::kIcvecOffset, 1);  // command queue: vector 1, fault queue: vector 0
  aim_vector(machine, 1, 0x90000010, 1);
  aim_vector(machine, 0, 0x90000020, 2);
  machine.memory.failing[0x90000010] = MemoryStatus::kAccessFault;
  machine.command(0, 0);
  const auto records = machine.take_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].cause, 273U);
  EXPECT_EQ(records[0].ttyp, 0U);
  EXPECT_EQ(records[0].did, 0U);
  EXPECT_EQ(records[0].iotval, 0x90000010U);
  EXPECT_EQ(machine.memory.load32(0x90000020), 2U) << "the record itself raises the fault queue's message";
}

TEST(InterruptMessage, MaskedVectorSendsWhenUnmasked) {
  Machine machine;
  aim_vector(machine, 0, 0x90000008, 0x77);
  machine.write32(spec::kMsiVecCtlOffset, 1);
  machine.translate(7, 0x1000);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0U);
  machine.write32(spec::kMsiVecCtlOffset, 0);
  EXPECT_EQ(machine.memory.load32(0x90000008), 0x77U);
}

}  // namespace iommusim::translate::test
