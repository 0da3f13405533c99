// SPDX-License-Identifier: Apache-2.0
// The execution of one command of the command queue (IOMMU 3.1): fetch, decode, check, act, move the head. The driver
// starts it when pending() says that there is something to do, and again for the next command.
#pragma once

#include "translate/ask.h"

namespace iommusim::translate {

class Registers;

class CommandExecution {
 public:
  /// The queue is on, not empty, and no error bit holds it.
  static bool pending(const Registers& registers);

  /// Begins with the command at cqh. Asks: kRead of 16 bytes; then, by command, kInvalidate; kAwaitInvalidation,
  /// kFence, kWrite (fence data). Done: the head has moved, or the error bit is set and the head stays.
  void start(Registers& registers);
  const Ask& ask() const { return ask_; }
  void memory(const MemoryAnswer& answer);
  void resume();
  /// Valid when done: the command's opcode and func3 as fetched, and whether it completed (the head moved).
  std::uint8_t opcode() const { return opcode_; }
  std::uint8_t func3() const { return func3_; }
  bool completed() const { return completed_; }

 private:
  Ask ask_{};
  Registers* registers_ = nullptr;
  std::uint8_t opcode_ = 0;
  std::uint8_t func3_ = 0;
  bool completed_ = false;

  void decode(std::uint64_t word0, std::uint64_t word1);
  void decode_iotinval(std::uint64_t word0, std::uint64_t word1);
  void decode_iofence(std::uint64_t word0, std::uint64_t word1);
  void decode_iodir(std::uint64_t word0, std::uint64_t word1);
  void decode_ats(std::uint64_t word0, std::uint64_t word1);
  void fence();
  void send_invalidation();
  void fail(spec::Field error);
  void complete();

  bool raise_fence_ = false;
  bool writes_fence_data_ = false;
};

}  // namespace iommusim::translate
