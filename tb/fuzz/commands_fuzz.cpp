// SPDX-License-Identifier: Apache-2.0
// Any contents of the command queue, on any implementation: a command completes, is refused with an error bit that
// software can clear, or waits for devices, which answer as they like. The cycle engine, with any micro-architecture,
// leaves the same registers, messages and memory. Input: the implementation, then 16 bytes a command.
#include "command_software.h"
#include "world.h"

namespace translate = iommusim::translate;
namespace timing = iommusim::timing;
namespace spec = iommusim::spec;
namespace base = iommusim::base;
using iommusim::fuzz::Choices;
using iommusim::timing::test::Command;
using iommusim::timing::test::CommandSoftware;
using iommusim::timing::test::Twins;

namespace {

constexpr unsigned kCommands = 300;

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

/// IOMMU 3.1: nothing waits without a reason: the queue is empty, an error bit holds it, or a device is asked.
void check(const Twins& twins) {
  const std::uint64_t csr = twins.machine.read32(spec::kCqcsrOffset);
  const bool done = twins.machine.read32(spec::kCqhOffset) == twins.machine.read32(spec::kCqtOffset);
  base::ensure(!done || (csr & CommandSoftware::kErrors) == 0, "an error without a command");
}

/// A completion that may answer nothing, or several requests at once.
void complete_something(Twins& twins, Choices& choices) {
  translate::InvalidationCompletion message;
  message.function.rid = static_cast<std::uint16_t>(choices.number(2));
  message.itag_vector = static_cast<std::uint32_t>(choices.number(4));
  message.count = choices.byte() % 8;
  twins.complete(message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  const spec::Implementation implementation = iommusim::fuzz::random_implementation(choices);
  const timing::EngineParams params = timing::test::random_engine(choices);
  Twins twins(std::make_unique<timing::test::CycleTwin>(params, timing::test::random_driver(choices), implementation),
              3, implementation);
  CommandSoftware software(twins, choices);
  for (unsigned i = 0; i < kCommands && !choices.empty(); ++i) {
    software.execute(random_command(choices));
    check(twins);
    if (choices.one_in(16)) complete_something(twins, choices);
    if (choices.one_in(8) || i % 128 == 127) software.finish(choices.flag());
  }
  software.finish(true);
  check(twins);
  return 0;
}
