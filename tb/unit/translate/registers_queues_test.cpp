// SPDX-License-Identifier: Apache-2.0
// Queue registers and interrupt conditions (IOMMU 5.6 to 5.18).
#include <gtest/gtest.h>

#include "translate/registers.h"

namespace iommusim::translate {

using spec::Implementation;

struct Queues {
  Registers registers;
  explicit Queues(bool wires = false)
      : registers([wires] {
          Implementation implementation;
          implementation.ats = true;
          implementation.fctl = wires ? spec::fctl::kWsi.mask() : 0;
          return implementation;
        }()) {}
  void write(std::uint32_t offset, std::uint64_t value) { registers.write(offset, 4, value); }
  std::uint64_t read(std::uint32_t offset) const { return registers.read(offset, 4); }
  void turn_on_fault_queue(std::uint64_t log2_entries = 2) {
    registers.write(spec::kFqbOffset, 8, log2_entries - 1);
    write(spec::kFqcsrOffset, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask());
    registers.finish_fault_queue();
  }
};

TEST(QueueControl, EnableIsBusyUntilFinished) {
  Queues queues;
  queues.write(spec::kCqcsrOffset, 1);
  EXPECT_EQ(queues.read(spec::kCqcsrOffset), 1U | spec::cqcsr::kBusy.mask());
  queues.write(spec::kCqcsrOffset, 0);  // ignored while busy
  queues.registers.finish_command_queue();
  EXPECT_EQ(queues.read(spec::kCqcsrOffset), 1U | spec::cqcsr::kCqon.mask());
  queues.write(spec::kCqcsrOffset, 0);
  EXPECT_EQ(queues.read(spec::kCqcsrOffset), spec::cqcsr::kCqon.mask() | spec::cqcsr::kBusy.mask());
  queues.registers.finish_command_queue();
  EXPECT_EQ(queues.read(spec::kCqcsrOffset), 0U);
}

TEST(QueueControl, InterruptEnableAloneIsNotBusy) {
  Queues queues;
  queues.write(spec::kFqcsrOffset, 2);
  EXPECT_EQ(queues.read(spec::kFqcsrOffset), 2U);
}

TEST(QueueControl, EnablingResetsIndexAndStatus) {
  Queues queues;
  queues.turn_on_fault_queue();
  queues.registers.fault_record_written();
  queues.registers.fault_queue_failed(spec::fqcsr::kFqof);
  queues.write(spec::kFqcsrOffset, 0);
  queues.registers.finish_fault_queue();
  EXPECT_EQ(queues.read(spec::kFqtOffset), 1U);
  EXPECT_EQ(queues.read(spec::kFqcsrOffset), spec::fqcsr::kFqof.mask());
  queues.write(spec::kFqcsrOffset, 1);
  EXPECT_EQ(queues.read(spec::kFqtOffset), 0U);
  EXPECT_EQ(queues.read(spec::kFqcsrOffset), 1U | spec::fqcsr::kBusy.mask());
}

TEST(QueueBase, MasksTheSoftwareIndexAndIgnoresWritesInUse) {
  Queues queues;
  queues.registers.write(spec::kCqbOffset, 8, 3);  // 16 entries
  queues.write(spec::kCqtOffset, 0xffff);
  EXPECT_EQ(queues.read(spec::kCqtOffset), 15U);
  queues.registers.write(spec::kCqbOffset, 8, 1);
  EXPECT_EQ(queues.read(spec::kCqtOffset), 3U);
  queues.write(spec::kCqcsrOffset, 1);
  queues.registers.write(spec::kCqbOffset, 8, 5);
  EXPECT_EQ(queues.registers.read(spec::kCqbOffset, 8), 1U);
  queues.registers.finish_command_queue();
  queues.registers.write(spec::kCqbOffset, 8, 5);
  EXPECT_EQ(queues.registers.read(spec::kCqbOffset, 8), 1U);
}

TEST(QueueBase, IsWhatWasWrittenWhateverTheIndexesAre) {
  Queues queues;
  queues.registers.write(spec::kCqbOffset, 8, 15);
  queues.write(spec::kCqcsrOffset, 1);
  queues.registers.finish_command_queue();
  for (unsigned i = 0; i < 1000; ++i) queues.registers.command_completed(false);
  queues.write(spec::kCqcsrOffset, 0);
  queues.registers.finish_command_queue();
  EXPECT_EQ(queues.read(spec::kCqhOffset), 1000U);
  queues.registers.write(spec::kCqbOffset, 8, 0x1234 << 10 | 7);
  EXPECT_EQ(queues.registers.read(spec::kCqbOffset, 8), 0x1234U << 10 | 7);
}

TEST(QueueBase, SizesRunFromTwoEntriesTo2To32) {
  Queues queues;
  for (const std::uint64_t log2 : {1U, 16U, 32U}) {
    queues.registers.write(spec::kFqbOffset, 8, log2 - 1);
    queues.write(spec::kFqhOffset, 0xffffffff);
    EXPECT_EQ(queues.read(spec::kFqhOffset), base::mask_of(static_cast<unsigned>(log2)));
  }
}

TEST(CommandQueue, WaitsWhileAnErrorBitIsSet) {
  Queues queues;
  queues.registers.write(spec::kCqbOffset, 8, 0x400 | 3);
  queues.write(spec::kCqcsrOffset, 1);
  queues.write(spec::kCqtOffset, 2);
  EXPECT_FALSE(queues.registers.command_waiting()) << "not on yet";
  queues.registers.finish_command_queue();
  EXPECT_TRUE(queues.registers.command_waiting());
  EXPECT_EQ(queues.registers.command_address(), 0x1000U);
  for (const spec::Field error : {spec::cqcsr::kCqmf, spec::cqcsr::kCmdTo, spec::cqcsr::kCmdIll}) {
    queues.registers.command_failed(error);
    EXPECT_FALSE(queues.registers.command_waiting());
    EXPECT_EQ(queues.read(spec::kCqhOffset), 0U);
    queues.write(spec::kCqcsrOffset, 1 | error.mask());
    EXPECT_TRUE(queues.registers.command_waiting());
  }
  queues.registers.command_completed(false);
  EXPECT_EQ(queues.registers.command_address(), 0x1010U);
  queues.registers.command_completed(false);
  EXPECT_FALSE(queues.registers.command_waiting()) << "empty";
}

TEST(FaultQueue, FullAtTailEqualsHeadMinusOne) {
  Queues queues;
  queues.turn_on_fault_queue(2);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_FALSE(queues.registers.fault_queue_full());
    queues.registers.fault_record_written();
  }
  EXPECT_TRUE(queues.registers.fault_queue_full());
  queues.write(spec::kFqhOffset, 1);
  EXPECT_FALSE(queues.registers.fault_queue_full());
  queues.registers.fault_record_written();
  EXPECT_EQ(queues.read(spec::kFqtOffset), 0U) << "wraps";
}

TEST(Interrupts, PendingBitsFollowTheirConditions) {
  Queues queues;
  queues.turn_on_fault_queue();
  queues.registers.fault_record_written();
  EXPECT_EQ(queues.read(spec::kIpsrOffset), spec::ipsr::kFip.mask());
  queues.write(spec::kIpsrOffset, spec::ipsr::kFip.mask());
  EXPECT_EQ(queues.read(spec::kIpsrOffset), 0U) << "a record is an event, not a state";
  queues.registers.fault_queue_failed(spec::fqcsr::kFqof);
  queues.write(spec::kIpsrOffset, spec::ipsr::kFip.mask());
  EXPECT_EQ(queues.read(spec::kIpsrOffset), spec::ipsr::kFip.mask()) << "fqof still holds";
  queues.write(spec::kFqcsrOffset, 3 | spec::fqcsr::kFqof.mask());
  queues.write(spec::kIpsrOffset, spec::ipsr::kFip.mask());
  EXPECT_EQ(queues.read(spec::kIpsrOffset), 0U);
}

TEST(Interrupts, EnablingRaisesWhatAlreadyHolds) {
  Queues queues;
  queues.registers.write(spec::kCqbOffset, 8, 3);
  queues.write(spec::kCqcsrOffset, 1);
  queues.registers.finish_command_queue();
  queues.registers.command_failed(spec::cqcsr::kCmdIll);
  EXPECT_EQ(queues.read(spec::kIpsrOffset), 0U);
  queues.write(spec::kCqcsrOffset, 3);
  EXPECT_EQ(queues.read(spec::kIpsrOffset), spec::ipsr::kCip.mask());
}

TEST(Interrupts, WiresFollowPendingBitsThroughIcvec) {
  Queues queues(true);
  queues.registers.write(spec::kIcvecOffset, 8, 0x5003 | 7 << 4);
  queues.turn_on_fault_queue();
  EXPECT_EQ(queues.registers.wires(), 0U);
  queues.registers.fault_record_written();
  EXPECT_EQ(queues.registers.wires(), 1U << 7);
  queues.write(spec::kCqcsrOffset, 2);
  queues.registers.command_completed(true);
  EXPECT_EQ(queues.registers.wires(), 1U << 7 | 1U << 3);
  EXPECT_EQ(queues.registers.due_message(), -1) << "no messages with WSI";
  queues.write(spec::kIpsrOffset, spec::ipsr::kFip.mask());
  EXPECT_EQ(queues.registers.wires(), 1U << 3);
}

TEST(Interrupts, MessagesWaitWhileMasked) {
  Queues queues;
  queues.registers.write(spec::kIcvecOffset, 8, 2 << 4);
  queues.write(spec::kMsiVecCtlOffset + 32, 1);
  queues.turn_on_fault_queue();
  queues.registers.fault_record_written();
  EXPECT_EQ(queues.registers.due_message(), -1);
  EXPECT_EQ(queues.registers.wires(), 0U);
  queues.write(spec::kMsiVecCtlOffset + 32, 0);
  EXPECT_EQ(queues.registers.due_message(), 2);
  queues.registers.take_message(2);
  EXPECT_EQ(queues.registers.due_message(), -1);
  queues.registers.fault_record_written();
  EXPECT_EQ(queues.registers.due_message(), -1) << "fip was 1 already: no edge";
}

}  // namespace iommusim::translate
