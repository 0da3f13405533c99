// SPDX-License-Identifier: Apache-2.0
// The functional engine: drives the processes in plain loops, at once and without caches. What the conformance
// replayer, b_transport of `engine: functional`, transport_dbg and tests use.
#pragma once

#include "translate/command.h"
#include "translate/interrupt.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {

/// Memory as the IOMMU reaches it; answers at once.
class MemoryPort {
 public:
  virtual ~MemoryPort() = default;
  virtual MemoryAnswer read(const MemoryAsk& ask) = 0;
  virtual MemoryStatus write(const MemoryAsk& ask) = 0;
  virtual MemoryAnswer compare_swap(const MemoryAsk& ask) = 0;
};

class FunctionalEngine {
 public:
  FunctionalEngine(Registers& registers, MemoryPort& memory) : registers_(registers), memory_(memory) {}

  /// Translates, records the fault if there is one, sends the interrupt.
  Outcome translate(const Request& request);
  /// As translate(), without any effect: no A/D update, no record, no count (a page whose A or D is 0 translates).
  Outcome peek(const Request& request);
  /// A register access by software followed by all that it starts: queues on or off, commands, messages.
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value);
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) const { return registers_.read(offset, bytes); }
  /// Executes commands until none is pending.
  void run_commands();
  /// One command at most; false: none was pending.
  bool run_one_command();
  /// false: commands are executed by run_commands() and run_one_command() only, not after a register write.
  void set_commands_run_freely(bool freely) { commands_run_freely_ = freely; }

 private:
  void report(const FaultRecord& fault);
  void send_messages();

  Registers& registers_;
  MemoryPort& memory_;
  Translation translation_{};
  bool commands_run_freely_ = true;
};

}  // namespace iommusim::translate
