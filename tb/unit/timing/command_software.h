// SPDX-License-Identifier: Apache-2.0
// The driver of the command queue for Twins: commands that nothing needs, illegal ones, queues that fail, and devices
// that answer invalidation requests now, later, in several messages or never. finish() leaves a queue without commands
// and without errors.
#pragma once

#include "twins.h"

namespace iommusim::timing::test {

class CommandSoftware {
 public:
  static constexpr std::uint64_t kFenceAddress = 0x7800;
  static constexpr std::uint64_t kErrors =
      spec::cqcsr::kCqmf.mask() | spec::cqcsr::kCmdTo.mask() | spec::cqcsr::kCmdIll.mask();

  CommandSoftware(Twins& twins, Choices& choices) : twins_(twins), choices_(choices) {}

  /// A command that nothing needs; legal in this implementation.
  Command random_command(const Environment& environment, std::uint32_t device) {
    using namespace spec;
    const Implementation& i = environment.implementation();
    const std::uint64_t did = iodir_w0::kDv.mask() | iodir_w0::kDid.of(choices_.flag() ? device : choices_.below(200));
    switch (choices_.below(i.ats ? 8 : 4)) {
      case 0:
        return {opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | did |
                    iodir_w0::kPid.of(i.pd8 ? choices_.byte() : 0),
                0};
      case 1:
        return {opcode::kIodir | (choices_.flag() ? did : 0), 0};
      case 2:
        return {opcode::kIotinval | iotinval_w0::kAv.mask() | iotinval_w0::kGv.mask() |
                    iotinval_w0::kFunc3.of(choices_.below(2)) | iotinval_w0::kGscid.of(choices_.below(6)),
                iotinval_w1::kAddr.of(0x10000U + choices_.below(30))};
      case 3:
      case 4:
        return random_fence();
      case 5:
        return random_message(device, ats_func3::kPrgr);
      default:
        return random_message(device, ats_func3::kInval);
    }
  }
  /// A command with a bit or an encoding that it must not have (IOMMU 3.1).
  Command illegal_command() {
    const Command bases[] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}};
    Command command = choices_.pick(bases);
    switch (choices_.below(4)) {
      case 0:
        command.word0 |= 7ULL << 7;
        break;
      case 1:
        command.word0 = 5 + choices_.below(120);
        break;
      case 2:
        command.word0 |= 1ULL << 35;
        if (command.word0 % 8 == 2) command.word0 ^= 1ULL << 35 | 1ULL << 20;
        break;
      default:
        command.word1 = 1;
        if (command.word0 % 8 == 2 || command.word0 % 8 == 4) command.word0 |= 1ULL << 9;
    }
    return command;
  }

  void execute(const Command& command) {
    if (choices_.one_in(48)) {
      const std::uint64_t at = twins_.machine.command_address(twins_.machine.read32(spec::kCqtOffset));
      fail(choices_.flag() ? at : kFenceAddress);
    }
    twins_.command(command);
    note_messages();
    if (choices_.one_in(4)) answer_one();
  }
  /// Until the queue is empty and holds no error; `all`: no invalidation request is left either.
  void finish(bool all) {
    for (unsigned rounds = 0;; ++rounds) {
      base::ensure(rounds < 2000, "commands do not come to an end");
      const std::uint64_t csr = twins_.machine.read32(spec::kCqcsrOffset);
      if ((csr & (kErrors | spec::cqcsr::kFenceWIp.mask())) != 0) {
        recover(csr);
        continue;
      }
      const bool empty = twins_.machine.read32(spec::kCqhOffset) == twins_.machine.read32(spec::kCqtOffset);
      if (empty && (outstanding_.empty() || !all)) return;
      base::ensure(!outstanding_.empty(), "commands wait for nothing");
      answer_one();
    }
  }
  unsigned illegal = 0, memory_faults = 0, time_outs = 0;

 private:
  Command random_fence() {
    using namespace spec;
    Command command{opcode::kIofence, 0};
    if (choices_.flag()) command.word0 |= iofence_w0::kPr.mask();
    if (choices_.flag()) command.word0 |= iofence_w0::kPw.mask();
    if (twins_.machine.registers.wire_interrupts() && choices_.flag()) command.word0 |= iofence_w0::kWsi.mask();
    if (!choices_.flag()) return command;
    return {command.word0 | iofence_w0::kAv.mask() | iofence_w0::kData.of(choices_.byte()), kFenceAddress >> 2};
  }
  Command random_message(std::uint32_t device, std::uint64_t func3) {
    using namespace spec;
    Command command{opcode::kAts | ats_w0::kFunc3.of(func3) | ats_w0::kRid.of(device & 0xffffU), choices_.number(4)};
    if (choices_.flag()) command.word0 |= ats_w0::kDsv.mask() | ats_w0::kDseg.of(device >> 16);
    if (choices_.flag()) command.word0 |= ats_w0::kPv.mask() | ats_w0::kPid.of(choices_.byte());
    return command;
  }
  void fail(std::uint64_t address) {
    for (translate::test::SparseMemory* memory : {&twins_.machine.memory, &twins_.twin->memory})
      memory->failing[address] =
          address % 64 != 0 ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
    failing_.push_back(address);
  }
  void note_messages() {
    for (const translate::DeviceMessage& message : twins_.take_messages())
      if (message.kind == translate::DeviceMessage::Kind::kInvalidationRequest) outstanding_.push_back({message, 0, 0});
  }
  void answer_one() {
    if (outstanding_.empty()) return;
    const auto at = outstanding_.begin() + choices_.below(static_cast<unsigned>(outstanding_.size()));
    if (choices_.one_in(4)) {
      const std::uint32_t tags = 1U << at->request.itag;
      outstanding_.erase(at);
      twins_.time_out(tags);
    } else {
      if (at->wanted == 0) at->wanted = choices_.one_in(4) ? 1 + choices_.below(8) : 1;
      translate::InvalidationCompletion message{at->request.function, 1U << at->request.itag,
                                                static_cast<std::uint8_t>(at->wanted % 8)};
      if (choices_.one_in(8)) message.function.rid ^= 1;  // nobody waits for that one
      const bool counts = message.function == at->request.function;
      if (counts && ++at->received == at->wanted) outstanding_.erase(at);
      twins_.complete(message);
    }
    note_messages();
  }
  void recover(std::uint64_t csr) {
    if ((csr & spec::cqcsr::kCqmf.mask()) != 0) {
      ++memory_faults;
      for (translate::test::SparseMemory* memory : {&twins_.machine.memory, &twins_.twin->memory})
        for (const std::uint64_t address : failing_) memory->failing.erase(address);
      failing_.clear();
    }
    if ((csr & spec::cqcsr::kCmdIll.mask()) != 0) {
      ++illegal;
      twins_.put_command(twins_.machine.read32(spec::kCqhOffset), {spec::opcode::kIotinval, 0});
    }
    if ((csr & spec::cqcsr::kCmdTo.mask()) != 0) ++time_outs;
    twins_.write_register(spec::kCqcsrOffset, 4, csr);
    note_messages();
  }

  struct Outstanding {
    translate::DeviceMessage request;
    unsigned wanted, received;
  };
  Twins& twins_;
  Choices& choices_;
  std::vector<Outstanding> outstanding_;
  std::vector<std::uint64_t> failing_;
};

}  // namespace iommusim::timing::test
