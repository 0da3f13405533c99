// SPDX-License-Identifier: Apache-2.0
#include "timing/queue_engines.h"

#include "timing/engine.h"

namespace iommusim::timing {

void QueueEngines::registers_written(base::Cycle now) {
  const std::array<bool, kBusyCount> is_busy = busy();
  for (unsigned i = 0; i < kBusyCount; ++i)
    if (is_busy[i] && busy_until_[i] == base::kNever) busy_until_[i] = now + register_params_.busy_cycles;
  next_busy_ = *std::min_element(busy_until_.begin(), busy_until_.end());
  if (commands_run_freely_) grant_command(now);
  message_wanted_ = true;
}

bool QueueEngines::grant_command(base::Cycle now) { return start_command(now + queues_.command_start_cycles); }

bool QueueEngines::start_command(base::Cycle ready) {
  if (command_state_ != CommandState::kIdle || !translate::CommandExecution::pending(engine_.registers_)) return false;
  command_state_ = CommandState::kStarting;
  command_ready_ = ready;
  return true;
}

void QueueEngines::invalidations_changed(base::Cycle now) {
  if (command_state_ != CommandState::kInvalidation) return;
  command_.resume();
  continue_command(now);
}

void QueueEngines::report(const translate::FaultRecord& record, std::uint32_t slot, base::Cycle now) {
  ++engine_.stats_.faults.reported;
  engine_.stats_.faults.count(record.cause);
  if (engine_.recorder_ != nullptr) engine_.record_fault(record, slot, now);
  faults_.push({record, slot, now + queues_.fault_start_cycles});
}

bool QueueEngines::step(base::Cycle now) {
  bool moved = step_busy(now);
  moved |= step_command(now);
  moved |= step_faults(now);
  moved |= step_messages(now);
  return moved;
}

base::Cycle QueueEngines::next_event() const {
  base::Cycle next = next_busy_;
  if ((command_state_ == CommandState::kStarting || command_state_ == CommandState::kActing ||
       command_state_ == CommandState::kWriting) &&
      command_ready_ < next)
    next = command_ready_;
  if (!fault_busy_ && !faults_.empty() && faults_.front().ready < next) next = faults_.front().ready;
  return next;
}

bool QueueEngines::quiet() const {
  return (command_state_ == CommandState::kIdle || command_state_ == CommandState::kInvalidation) && !fault_busy_ &&
         faults_.empty() && !message_busy_ && next_busy_ == base::kNever;
}

void QueueEngines::answer(std::uint32_t tag, const translate::MemoryAnswer& data, base::Cycle now) {
  if (tag == kCommandTag) {
    if (command_.ask().kind == translate::AskKind::kRead) command_words_ = {data.data[0], data.data[1]};
    command_.memory(data);
    continue_command(now);
  } else if (tag == kFaultTag) {
    fault_report_.memory(data);
    end_fault(fault_report_.written(), now);
  } else if (tag == kPageRequestTag) {
    engine_.page_requests_.answer(data);
  } else {
    message_.memory(data);
    continue_message(now);
  }
}

/// By Busy. The command queue's time begins between two commands.
std::array<bool, QueueEngines::kBusyCount> QueueEngines::busy() const {
  const translate::Registers& registers = engine_.registers_;
  return {registers.ddtp_busy(), registers.command_queue_busy() && between_commands(), registers.fault_queue_busy(),
          registers.page_request_queue_busy()};
}

void QueueEngines::finish_busy(unsigned what) {
  translate::Registers& registers = engine_.registers_;
  switch (what) {
    case kDirectory:
      return registers.finish_ddtp();
    case kCommandQueue:
      return registers.finish_command_queue();
    case kFaultQueue:
      return registers.finish_fault_queue();
    default:
      return registers.finish_page_request_queue();
  }
}

/// An injection asks once about each entry; true: its time is put off.
bool QueueEngines::stalled(InjectionQueue queue, bool& asked, base::Cycle& ready, base::Cycle now) {
  if (engine_.injector_ == nullptr) return false;
  asked = !asked;
  if (!asked) return false;
  ready = now + engine_.stall_cycles(queue, now);
  return true;
}

bool QueueEngines::step_busy(base::Cycle now) {
  if (now < next_busy_) return false;
  for (unsigned i = 0; i < kBusyCount; ++i) {
    if (now < busy_until_[i]) continue;
    busy_until_[i] = base::kNever;
    // A command may have begun meanwhile: then the queue stays busy until it ends, and its time begins anew.
    if (busy()[i]) finish_busy(i);
  }
  registers_written(now);
  return true;
}

bool QueueEngines::step_command(base::Cycle now) {
  switch (command_state_) {
    case CommandState::kIdle:
    case CommandState::kMemory:
    case CommandState::kInvalidation:
      return false;
    case CommandState::kSending:
      if (engine_.messages_.full()) return false;
      engine_.messages_.push(command_.ask().message);
      if (engine_.injector_ != nullptr) engine_.invalidation_sent(command_.ask().message, now);
      command_state_ = CommandState::kActing;
      command_ready_ = now + queues_.command_finish_cycles;
      return true;
    case CommandState::kStarting:
      if (now < command_ready_) return false;
      if (!translate::CommandExecution::pending(engine_.registers_)) {  // the queue was switched off meanwhile
        command_state_ = CommandState::kIdle;
        command_stalled_ = false;
        return true;
      }
      if (stalled(InjectionQueue::kCommand, command_stalled_, command_ready_, now)) return true;
      command_started_ = now;
      command_.start(engine_.registers_);
      continue_command(now);
      return true;
    case CommandState::kActing:
      if (now < command_ready_) return false;
      command_.resume();
      continue_command(now);
      return true;
    case CommandState::kWriting:
      if (now < command_ready_) return false;
      command_state_ = CommandState::kMemory;
      engine_.memory_.request(kCommandTag, command_.ask());
      return true;
    case CommandState::kFence:
      if (!fence_drained()) return false;
      engine_.stats_.commands.fence_cycles.add(now - fence_started_);
      command_state_ = CommandState::kActing;
      command_ready_ = now + queues_.command_finish_cycles;
      return true;
  }
  return false;
}

void QueueEngines::continue_command(base::Cycle now) {
  const translate::Ask& ask = command_.ask();
  switch (ask.kind) {
    case translate::AskKind::kWrite:
      if (queues_.fence_write_cycles != 0) {
        command_state_ = CommandState::kWriting;
        command_ready_ = now + queues_.fence_write_cycles;
        return;
      }
      [[fallthrough]];
    case translate::AskKind::kRead:
      command_state_ = CommandState::kMemory;
      engine_.memory_.request(kCommandTag, ask);
      return;
    case translate::AskKind::kInvalidate:
      engine_.invalidate(ask.invalidation);
      command_state_ = CommandState::kActing;
      command_ready_ = now + queues_.command_finish_cycles + engine_.invalidation_cycles(ask.invalidation);
      return;
    case translate::AskKind::kFence:
      start_fence(now);
      return;
    case translate::AskKind::kSendMessage:
      ++engine_.stats_.commands.ats;
      command_state_ = CommandState::kSending;
      return;
    case translate::AskKind::kAwaitInvalidation:
      command_state_ = CommandState::kInvalidation;
      return;
    case translate::AskKind::kDone: {
      CommandStats& stats = engine_.stats_.commands;
      ++(command_.completed() ? stats.executed : stats.held);
      stats.command_cycles.add(now - command_started_);
      if (engine_.recorder_ != nullptr) engine_.record_command(command_started_, now, command_words_);
      command_state_ = CommandState::kIdle;
      if (commands_run_freely_) start_command(now + queues_.command_next_cycles);
      registers_written(now);
      return;
    }
    default:
      base::contradiction("a command asked for what only translations ask");
  }
}

void QueueEngines::start_fence(base::Cycle now) {
  ++engine_.stats_.commands.fences;
  fence_started_ = now;
  command_state_ = CommandState::kFence;
  engine_.epoch_ ^= 1;  // requests that enter from here on are not waited for
}

/// Model: a fence waits for every request that entered the pipeline before it, whatever its bits: such a request may
/// still carry a translation that an earlier command removed. PR and PW (IOMMU 3.1.2) add what was forwarded.
bool QueueEngines::fence_drained() const {
  const unsigned old = engine_.epoch_ ^ 1U;
  const translate::FenceWait& wait = command_.ask().fence;
  return engine_.translating_[old] == 0 && (!wait.previous_reads || engine_.forwarded_reads_[old] == 0) &&
         (!wait.previous_writes || engine_.forwarded_writes_[old] == 0);
}

bool QueueEngines::step_faults(base::Cycle now) {
  if (fault_busy_ || faults_.empty() || faults_.front().ready > now) return false;
  if (stalled(InjectionQueue::kFault, fault_stalled_, faults_.front().ready, now)) return true;
  fault_report_.start(faults_.front().record, engine_.registers_);
  if (fault_report_.ask().kind == translate::AskKind::kDone) {
    end_fault(fault_report_.written(), now);
    return true;
  }
  fault_busy_ = true;
  engine_.memory_.request(kFaultTag, fault_report_.ask());
  return true;
}

void QueueEngines::end_fault(bool written, base::Cycle) {
  ++(written ? engine_.stats_.faults.recorded : engine_.stats_.faults.lost);
  fault_busy_ = false;
  message_wanted_ = true;
  const std::uint32_t slot = faults_.front().slot;
  faults_.pop();
  if (slot != kNoSlot) engine_.release(slot);
}

bool QueueEngines::step_messages(base::Cycle now) {
  if (message_busy_ || !message_wanted_) return false;
  if (!translate::InterruptMessage::pending(engine_.registers_)) {
    message_wanted_ = false;
    return false;
  }
  message_busy_ = true;
  message_.start(engine_.registers_);
  continue_message(now);
  return true;
}

void QueueEngines::continue_message(base::Cycle now) {
  if (message_.ask().kind != translate::AskKind::kDone) {
    engine_.memory_.request(kMessageTag, message_.ask());
    return;
  }
  message_busy_ = false;
  message_wanted_ = true;
  if (message_.has_fault()) report(message_.fault(), kNoSlot, now);
}

std::string QueueEngines::describe() const {
  static constexpr const char* kNames[] = {"idle",
                                           "starting",
                                           "waits for memory",
                                           "acting",
                                           "waits at a fence",
                                           "is about to write a fence's data",
                                           "sends a message",
                                           "waits for a device"};
  return std::string("command engine ") + kNames[static_cast<unsigned>(command_state_)] + "; fault records waiting " +
         std::to_string(faults_.size()) + (fault_busy_ ? ", one being written" : "") +
         (message_busy_ ? "; an interrupt message is under way" : "");
}

}  // namespace iommusim::timing
