// SPDX-License-Identifier: Apache-2.0
// Any contents of the command queue, on any implementation: a command completes, is refused with an error bit that
// software can clear, or (ATS) waits. The cycle engine, where it has the capabilities, leaves the same registers and
// the same memory. Input: the implementation, then 16 bytes a command.
#include <memory>

#include "timing/engine.h"
#include "twins.h"
#include "world.h"

namespace translate = iommusim::translate;
namespace timing = iommusim::timing;
namespace spec = iommusim::spec;
namespace base = iommusim::base;
using iommusim::fuzz::Choices;
using iommusim::timing::test::Command;
using translate::test::Machine;

namespace {

constexpr unsigned kCommands = 300;
constexpr std::uint64_t kErrors = spec::cqcsr::kCqmf.mask() | spec::cqcsr::kCmdTo.mask() | spec::cqcsr::kCmdIll.mask();

/// Plausible in three of four cases: a valid opcode, and only bits that some command gives a meaning.
Command random_command(Choices& choices) {
  constexpr std::uint64_t kNamed[] = {~spec::iotinval_w0::kReserved, ~spec::iofence_w0::kReserved,
                                      ~spec::iodir_w0::kReserved, ~spec::ats_w0::kReserved};
  const unsigned kind = choices.below(5);
  Command command{choices.number(8), choices.number(8)};
  if (kind == 4) return command;
  command.word0 = (command.word0 & kNamed[kind] & ~spec::command::kOpcode.mask()) | (kind + 1U);
  command.word0 &= ~(6ULL << spec::command::kFunc3.lsb);
  if (kind == 0) command.word1 &= ~spec::iotinval_w1::kReserved;
  if (kind == 1) command.word1 = choices.below(512) * 2ULL;
  if (kind == 2) command.word1 = 0;
  return command;
}

/// IOMMU 3.1: opcodes 5 and above are reserved or custom.
void check(const Machine& machine, std::uint64_t opcode) {
  const std::uint64_t csr = machine.read32(spec::kCqcsrOffset);
  const bool done = machine.read32(spec::kCqhOffset) == machine.read32(spec::kCqtOffset);
  base::ensure(done == ((csr & kErrors) == 0), "the head and the error bits contradict each other");
  base::ensure(!done || (opcode >= 1 && opcode <= 4), "a command that does not exist was executed");
}

/// On both engines; an illegal command is cleared and replaced by one that does nothing.
void run_twins(Choices& choices, const spec::Implementation& implementation) {
  timing::test::Twins twins(timing::test::random_engine(choices), timing::test::random_driver(choices), 3,
                            implementation);
  twins.copy_memory();
  for (unsigned i = 0; i < kCommands && !choices.empty(); ++i) {
    const Command command = random_command(choices);
    const std::uint64_t at = twins.machine.command_address(twins.machine.read32(spec::kCqhOffset));
    twins.command(command);
    const std::uint64_t seen = twins.machine.registers.big_endian() ? command.word0 >> 56 : command.word0;
    check(twins.machine, seen & 0x7f);
    if ((twins.machine.read32(spec::kCqcsrOffset) & kErrors) == 0) continue;
    twins.machine.memory.store(at, twins.machine.registers.big_endian() ? 1ULL << 56 : 1);
    twins.machine.memory.store(at + 8, 0);
    twins.copy_memory();
    twins.write_register(spec::kCqcsrOffset, 4, kErrors | spec::cqcsr::kCqen.mask());
    check(twins.machine, 1);
  }
}

/// On the functional engine, with ATS invalidations that complete or time out.
void run_functional(Choices& choices, const spec::Implementation& implementation) {
  Machine machine(implementation);
  for (unsigned i = 0; i < kCommands && !choices.empty(); ++i) {
    const Command command = random_command(choices);
    machine.command(command.word0, command.word1);
    if (choices.one_in(3)) machine.engine.invalidation_time_out(static_cast<std::uint32_t>(choices.number(4)));
    translate::InvalidationCompletion message;
    message.function.rid = static_cast<std::uint16_t>(choices.number(2));
    message.itag_vector = static_cast<std::uint32_t>(choices.number(4));
    message.count = choices.byte() % 8;
    machine.engine.invalidation_completion(message);
    machine.write32(spec::kCqcsrOffset, kErrors | spec::cqcsr::kCqen.mask());
  }
  for (unsigned i = 0; i < kCommands; ++i) {  // each may let a command go on that sends the next request
    machine.engine.invalidation_time_out(~0U);
    machine.write32(spec::kCqcsrOffset, kErrors | spec::cqcsr::kCqen.mask());
  }
  const std::uint64_t csr = machine.read32(spec::kCqcsrOffset);
  base::ensure((csr & kErrors) != 0 || machine.read32(spec::kCqhOffset) == machine.read32(spec::kCqtOffset),
               "commands wait for nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  const spec::Implementation implementation = iommusim::fuzz::random_implementation(choices);
  if (!implementation.ats)
    run_twins(choices, implementation);
  else
    run_functional(choices, implementation);
  return 0;
}
