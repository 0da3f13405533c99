// SPDX-License-Identifier: Apache-2.0
// When commands, fault records and interrupt messages move: each kind is done one at a time, over the IOMMU's memory
// port. The rules are those of translate's processes; here is their time, and what a fence waits for.
#pragma once

#include <algorithm>
#include <array>

#include "base/ring.h"
#include "base/time.h"
#include "timing/injection.h"
#include "timing/memory_port.h"
#include "timing/params.h"
#include "timing/slot.h"
#include "translate/command.h"
#include "translate/fault.h"
#include "translate/interrupt.h"

namespace iommusim::timing {

class Engine;

class QueueEngines {
 public:
  // Tags at the memory port, above all slot numbers.
  static constexpr std::uint32_t kCommandTag = MemoryPort::kFirstQueueTag;
  static constexpr std::uint32_t kFaultTag = kCommandTag + 1;
  static constexpr std::uint32_t kMessageTag = kCommandTag + 2;
  static constexpr std::uint32_t kPageRequestTag = kCommandTag + 3;

  QueueEngines(Engine& engine, const QueueEngineParams& queues, const RegisterParams& registers, std::size_t slots)
      : engine_(engine), queues_(queues), register_params_(registers), faults_(slots + 16) {}

  /// Software wrote a register: there may be a command to run, a busy bit to clear, a message to send.
  void registers_written(base::Cycle now);
  /// `slot` stays taken until its record is written; kNoSlot for a fault that belongs to no request.
  void report(const translate::FaultRecord& record, std::uint32_t slot, base::Cycle now);
  /// An interrupt condition may have come up elsewhere.
  void condition_changed() { message_wanted_ = true; }
  /// An ATS invalidation request was completed or given up.
  void invalidations_changed(base::Cycle now);
  /// false: commands are executed one at a time, each by a grant.
  void set_commands_run_freely(bool freely) { commands_run_freely_ = freely; }
  /// false: no command is pending, or one is under way.
  bool grant_command(base::Cycle now);
  void answer(std::uint32_t tag, const translate::MemoryAnswer& data, base::Cycle now);
  /// step() has nothing to do, whatever the time.
  bool dormant() const {
    return command_state_ == CommandState::kIdle && faults_.empty() && !message_wanted_ && next_busy_ == base::kNever;
  }
  bool step(base::Cycle now);
  base::Cycle next_event() const;
  bool idle() const { return quiet() && command_state_ == CommandState::kIdle; }
  /// As idle(), but a command may wait for a device.
  bool quiet() const;
  std::string describe() const;

 private:
  enum class CommandState : std::uint8_t {
    kIdle,
    kStarting,
    kMemory,
    kActing,
    kFence,
    kWriting,
    kSending,
    kInvalidation
  };
  /// What a register write keeps busy, each for itself.
  enum Busy : unsigned { kDirectory, kCommandQueue, kFaultQueue, kPageRequestQueue, kBusyCount };
  struct PendingFault {
    translate::FaultRecord record{};
    std::uint32_t slot = kNoSlot;
    base::Cycle ready = 0;
  };

  /// Between two commands: only then is the queue switched off.
  bool between_commands() const {
    return command_state_ == CommandState::kIdle || command_state_ == CommandState::kStarting;
  }
  std::array<bool, kBusyCount> busy() const;
  void finish_busy(unsigned what);
  bool stalled(InjectionQueue queue, bool& asked, base::Cycle& ready, base::Cycle now);
  bool step_busy(base::Cycle now);
  bool step_command(base::Cycle now);
  void continue_command(base::Cycle now);
  bool start_command(base::Cycle ready);
  void start_fence(base::Cycle now);
  bool fence_drained() const;
  bool step_faults(base::Cycle now);
  void end_fault(bool written, base::Cycle now);
  bool step_messages(base::Cycle now);
  void continue_message(base::Cycle now);

  Engine& engine_;
  QueueEngineParams queues_;
  RegisterParams register_params_;

  CommandState command_state_ = CommandState::kIdle;
  translate::CommandExecution command_{};
  bool commands_run_freely_ = true;
  base::Cycle command_ready_ = 0;
  base::Cycle command_started_ = 0;
  std::array<std::uint64_t, 2> command_words_{};  ///< as fetched
  base::Cycle fence_started_ = 0;

  base::Ring<PendingFault> faults_;
  translate::FaultReport fault_report_{};
  bool fault_busy_ = false;
  bool command_stalled_ = false;  ///< asked about an injection for the command, or the record, that is next
  bool fault_stalled_ = false;

  translate::InterruptMessage message_{};
  bool message_busy_ = false;
  bool message_wanted_ = false;

  /// By Busy: when it ends; kNever: not busy, or not yet timed.
  std::array<base::Cycle, kBusyCount> busy_until_{base::kNever, base::kNever, base::kNever, base::kNever};
  base::Cycle next_busy_ = base::kNever;  ///< the earliest of them
};

}  // namespace iommusim::timing
