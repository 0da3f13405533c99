// SPDX-License-Identifier: Apache-2.0
// The functional engine: drives the processes in plain loops, at once. What the conformance replayer, b_transport of
// `mode: functional`, the C interface, transport_dbg and tests use. With caches it is fast, without any it reads all it
// needs anew: the reference for every other way of running the processes.
#pragma once

#include <optional>

#include "translate/command.h"
#include "translate/functional_caches.h"
#include "translate/interrupt.h"
#include "translate/page_request.h"
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

/// Where messages to devices go.
class MessagePort {
 public:
  virtual ~MessagePort() = default;
  virtual void send(const DeviceMessage& message) = 0;
};

/// Who keeps translations outside of the engine, as direct access to memory does.
class TranslationHolder {
 public:
  virtual ~TranslationHolder() = default;
  /// All are to be given up: an invalidation is about to complete, another directory is in force, or requests are
  /// counted from now on.
  virtual void give_up_translations() = 0;
};

class FunctionalEngine {
 public:
  /// `messages`: may be null when capabilities.ATS is 0.
  FunctionalEngine(Registers& registers, MemoryPort& memory, MessagePort* messages = nullptr,
                   const FunctionalCacheParams& caches = FunctionalCacheParams::none())
      : registers_(registers), memory_(memory), messages_(messages), caches_(caches) {}

  /// Translates, records the fault if there is one, sends the interrupt. Valid until the next call.
  const Outcome& translate(const Request& request);
  /// As translate(), without any effect: no A/D update, no record, no count (a page whose A or D is 0 translates).
  Outcome peek(const Request& request);
  /// The translation of a request that could be made any number of times without anything to see of it: no fault, A
  /// (and D for a write) set, no event counted, no interrupt file. Otherwise nothing.
  std::optional<Outcome> translate_unseen(const Request& request);
  /// nullptr: nobody.
  void set_holder(TranslationHolder* holder) { holder_ = holder; }
  /// A register access by software followed by all that it starts: queues on or off, commands, messages.
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value);
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) const { return registers_.read(offset, bytes); }
  /// iohpmcycles advances; an overflow is told.
  void count_cycles(std::uint64_t cycles) {
    registers_.count_cycles(cycles);
    send_messages();
  }
  /// The interrupt messages that are due and not masked.
  void send_messages();
  /// A "Page Request" message arrives: it is queued, or answered.
  void page_request(const PageRequest& request);
  /// An "Invalidation Completion" message arrives; false: it answers no outstanding request.
  bool invalidation_completion(const InvalidationCompletion& message);
  /// The wait for the completions of these invalidation requests is over.
  void invalidation_time_out(std::uint32_t itag_vector);
  /// Executes commands until none is pending.
  void run_commands();
  /// One command at most; false: none was pending.
  bool run_one_command();
  /// false: commands are executed by run_commands() and run_one_command() only, not after a register write.
  void set_commands_run_freely(bool freely) { commands_run_freely_ = freely; }

 private:
  void go_on_with_command();
  void give_up_translations() {
    if (holder_ != nullptr) holder_->give_up_translations();
  }
  template <class Process>
  void drive(Process& process, const Request& request);
  void count_request(const Request& request);
  void count(HpmEvent event, const Request& request, const AddressSpaceTag& tag = {});
  void report(const FaultRecord& fault);

  Registers& registers_;
  MemoryPort& memory_;
  MessagePort* messages_;
  CommandExecution command_{};  ///< may wait for an ATS invalidation, see command_waits_
  bool command_waits_ = false;
  Translation translation_{};
  FunctionalCaches caches_;
  TranslationHolder* holder_ = nullptr;
  bool commands_run_freely_ = true;
};

}  // namespace iommusim::translate
