// SPDX-License-Identifier: Apache-2.0
// Commands (IOMMU 3.1): decoding, illegal encodings, head movement, fences, memory faults.
#include "translate/command.h"

#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

constexpr std::uint64_t kVma = 1, kGvma = 1 | 1 << 7, kFence = 2, kInvalDdt = 3, kInvalPdt = 3 | 1 << 7;
constexpr std::uint64_t kAv = 1 << 10, kPscv = 1ULL << 32, kGv = 1ULL << 33, kNl = 1ULL << 34, kDv = 1ULL << 33;

/// Whether a command is refused as illegal (cqh stays on it).
bool illegal(std::uint64_t word0, std::uint64_t word1, const spec::Implementation& implementation = {}) {
  Machine machine(implementation);
  machine.command(word0, word1);
  const bool refused = spec::cqcsr::kCmdIll.is_set(machine.read32(spec::kCqcsrOffset));
  EXPECT_EQ(machine.read32(spec::kCqhOffset), refused ? 0U : 1U);
  EXPECT_EQ(spec::ipsr::kCip.is_set(machine.read32(spec::kIpsrOffset)), refused);
  return refused;
}

/// Runs one command by hand up to its first ask after the fetch.
Ask decoded(std::uint64_t word0, std::uint64_t word1, const spec::Implementation& implementation = {}) {
  Machine machine(implementation);
  machine.engine.set_commands_run_freely(false);
  machine.command(word0, word1);
  CommandExecution command;
  command.start(machine.registers);
  EXPECT_EQ(command.ask().kind, AskKind::kRead);
  EXPECT_EQ(command.ask().memory.bytes, 16);
  command.memory(machine.memory.read(command.ask().memory));
  return command.ask();
}

TEST(Commands, ReservedOpcodesAndFunctionsAreIllegal) {
  for (std::uint64_t opcode = 0; opcode < 128; ++opcode)
    for (std::uint64_t func3 = 0; func3 < 8; ++func3) {
      const bool known = (opcode == 1 && func3 < 2) || (opcode == 2 && func3 == 0) || (opcode == 3 && func3 < 2);
      const std::uint64_t word0 = opcode | func3 << 7 | (opcode == 3 ? kDv : 0);
      EXPECT_EQ(illegal(word0, 0), !known) << opcode << " " << func3;
    }
}

TEST(Commands, ReservedBitsAreIllegal) {
  const auto reserved = [](std::uint64_t command, std::uint64_t mask0, std::uint64_t mask1) {
    for (unsigned bit = 10; bit < 64; ++bit)
      EXPECT_EQ(illegal(command | 1ULL << bit, 0), base::bit(mask0, bit)) << command << " bit " << bit;
    for (unsigned bit = 0; bit < 64; ++bit)
      EXPECT_EQ(illegal(command, 1ULL << bit), base::bit(mask1, bit)) << command << " bit " << 64 + bit;
  };
  reserved(kVma, spec::iotinval_w0::kReserved | kNl, spec::iotinval_w1::kReserved | 1 << 9);
  reserved(kGvma, spec::iotinval_w0::kReserved | kNl | kPscv, spec::iotinval_w1::kReserved | 1 << 9);
  reserved(kFence, spec::iofence_w0::kReserved | spec::iofence_w0::kWsi.mask(), spec::iofence_w1::kReserved);
  reserved(kInvalDdt, spec::iodir_w0::kReserved | spec::iodir_w0::kPid.mask(), ~0ULL);
}

TEST(Commands, ExtensionsMakeTheirBitsLegal) {
  spec::Implementation implementation;
  implementation.nl = implementation.s = true;
  EXPECT_FALSE(illegal(kVma | kNl, 1 << 9, implementation));
  EXPECT_TRUE(illegal(kInvalPdt | kDv | 1ULL << 12, 0, implementation)) << "no process directory";
  implementation.pd8 = true;
  EXPECT_FALSE(illegal(kInvalPdt | kDv | 0xffULL << 12, 0, implementation));
  EXPECT_TRUE(illegal(kInvalPdt | kDv | 0x100ULL << 12, 0, implementation)) << "PID wider than PD8";
  implementation.pd17 = true;
  EXPECT_FALSE(illegal(kInvalPdt | kDv | 0x1ffffULL << 12, 0, implementation));
  EXPECT_TRUE(illegal(kInvalPdt | kDv | 0x20000ULL << 12, 0, implementation)) << "PID wider than PD17";
  implementation.pd20 = true;
  EXPECT_FALSE(illegal(kInvalPdt | kDv | 0xfffffULL << 12, 0, implementation));
}

TEST(Commands, IodirOperands) {
  EXPECT_TRUE(illegal(kInvalPdt, 0)) << "DV = 0";
  spec::Implementation implementation;
  implementation.device_id_mask = 0xffff;
  EXPECT_TRUE(illegal(kInvalDdt | kDv | 1ULL << 56, 0, implementation));
  EXPECT_FALSE(illegal(kInvalDdt | 1ULL << 56, 0, implementation)) << "DID is ignored with DV = 0";
  const Ask ask = decoded(kInvalDdt | kDv | 0xabcdefULL << 40, 0);
  EXPECT_EQ(ask.kind, AskKind::kInvalidate);
  EXPECT_EQ(ask.invalidation.kind, Invalidation::Kind::kDdt);
  EXPECT_TRUE(ask.invalidation.device_valid);
  EXPECT_EQ(ask.invalidation.device.value, 0xabcdefU);
}

TEST(Commands, IotinvalOperands) {
  const std::uint64_t word0 = kVma | kAv | 0x54321ULL << 12 | kPscv | kGv | 0xbeefULL << 44;
  const Ask ask = decoded(word0, 0x123456789abcdULL << 10);
  EXPECT_EQ(ask.kind, AskKind::kInvalidate);
  EXPECT_EQ(ask.invalidation.kind, Invalidation::Kind::kVma);
  EXPECT_TRUE(ask.invalidation.address_valid && ask.invalidation.pscid_valid && ask.invalidation.gscid_valid);
  EXPECT_EQ(ask.invalidation.pscid.value, 0x54321U);
  EXPECT_EQ(ask.invalidation.gscid.value, 0xbeefU);
  EXPECT_EQ(ask.invalidation.address, 0x123456789abcd000ULL);
  EXPECT_EQ(ask.invalidation.size_log2, 12);
  EXPECT_EQ(decoded(kGvma | kGv, 0).invalidation.kind, Invalidation::Kind::kGvma);
}

TEST(Commands, RangeIsCodedInTrailingOnes) {
  spec::Implementation implementation;
  implementation.s = true;
  const auto range = [&](std::uint64_t page) {
    return decoded(kVma | kAv, page << 10 | 1 << 9, implementation).invalidation;
  };
  EXPECT_EQ(range(0x1230).size_log2, 13);
  EXPECT_EQ(range(0x1230).address, 0x1230000U);
  EXPECT_EQ(range(0x12f7).size_log2, 16);
  EXPECT_EQ(range(0x12f7).address, 0x12f0000U);
  EXPECT_EQ(range(base::mask_of(51)).size_log2, 64);
  EXPECT_EQ(range(base::mask_of(51)).address, 0U);
}

TEST(Fence, WaitsThenWritesThenCompletes) {
  Machine machine;
  machine.engine.set_commands_run_freely(false);
  machine.command(kFence | kAv | 1 << 12 | 0xcafef00dULL << 32, 0x90000004 >> 2);
  CommandExecution command;
  command.start(machine.registers);
  command.memory(machine.memory.read(command.ask().memory));
  ASSERT_EQ(command.ask().kind, AskKind::kFence);
  EXPECT_TRUE(command.ask().fence.previous_reads);
  EXPECT_FALSE(command.ask().fence.previous_writes);
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 0U) << "not complete before what it waits for";
  command.resume();
  ASSERT_EQ(command.ask().kind, AskKind::kWrite);
  EXPECT_EQ(command.ask().memory.bytes, 4);
  EXPECT_EQ(command.ask().memory.structure, Structure::kFenceData);
  command.memory({machine.memory.write(command.ask().memory), {}});
  EXPECT_EQ(command.ask().kind, AskKind::kDone);
  EXPECT_TRUE(command.completed());
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 1U);
  EXPECT_EQ(machine.memory.load32(0x90000004), 0xcafef00dU);
  EXPECT_FALSE(spec::cqcsr::kFenceWIp.is_set(machine.read32(spec::kCqcsrOffset)));
}

TEST(Fence, WsiRaisesTheWireWhenEnabled) {
  spec::Implementation implementation;
  implementation.fctl = spec::fctl::kWsi.mask();
  Machine machine(implementation);
  machine.command(kFence | spec::iofence_w0::kWsi.mask(), 0);
  EXPECT_TRUE(spec::cqcsr::kFenceWIp.is_set(machine.read32(spec::kCqcsrOffset)));
  EXPECT_EQ(machine.registers.wires(), 1U);
}

TEST(Fence, FailedWriteSetsCqmfAndStays) {
  Machine machine;
  machine.memory.failing[0x90000004] = MemoryStatus::kAccessFault;
  machine.command(kFence | kAv, 0x90000004 >> 2);
  EXPECT_TRUE(spec::cqcsr::kCqmf.is_set(machine.read32(spec::kCqcsrOffset)));
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 0U);
  machine.memory.failing.clear();
  machine.write32(spec::kCqcsrOffset, 3 | spec::cqcsr::kCqmf.mask());
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 1U) << "goes on with the same command";
}

TEST(Commands, FailedFetchSetsCqmf) {
  for (const MemoryStatus status : {MemoryStatus::kAccessFault, MemoryStatus::kCorrupt}) {
    Machine machine;
    machine.memory.failing[machine.command_address(0)] = status;
    machine.command(kVma, 0);
    EXPECT_TRUE(spec::cqcsr::kCqmf.is_set(machine.read32(spec::kCqcsrOffset)));
    EXPECT_TRUE(spec::ipsr::kCip.is_set(machine.read32(spec::kIpsrOffset)));
    EXPECT_EQ(machine.read32(spec::kCqhOffset), 0U);
  }
}

TEST(Commands, QueueWrapsAndStopsAtTheIllegalOne) {
  Machine machine;
  for (unsigned i = 0; i < 300; ++i) machine.command(kVma, 0);
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 300U % 256);
  machine.command(0, 0);
  machine.command(kVma, 0);
  EXPECT_EQ(machine.read32(spec::kCqhOffset), 300U % 256) << "the command after an illegal one waits";
}

}  // namespace iommusim::translate::test
