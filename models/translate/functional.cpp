// SPDX-License-Identifier: Apache-2.0
// The loops of the functional engine. Without caches every look-up misses and every fill and invalidation is done.
#include "translate/functional.h"

namespace iommusim::translate {
namespace {

MemoryAnswer access_memory(MemoryPort& memory, const Ask& ask) {
  switch (ask.kind) {
    case AskKind::kRead:
      return memory.read(ask.memory);
    case AskKind::kWrite:
      return {memory.write(ask.memory), {}};
    default:
      return memory.compare_swap(ask.memory);
  }
}

void drive(Translation& translation, MemoryPort& memory) {
  while (true) {
    switch (translation.ask().kind) {
      case AskKind::kDone:
        return;
      case AskKind::kLookupDevice:
      case AskKind::kLookupProcess:
      case AskKind::kLookupTranslation:
      case AskKind::kLookupWalk:
      case AskKind::kLookupDirectory:
        translation.miss();
        break;
      case AskKind::kRead:
      case AskKind::kWrite:
      case AskKind::kCompareSwap:
        translation.memory(access_memory(memory, translation.ask()));
        break;
      default:
        translation.resume();
    }
  }
}

}  // namespace

Outcome FunctionalEngine::translate(const Request& request) {
  translation_.start(request, registers_);
  drive(translation_, memory_);
  const Outcome outcome = translation_.outcome();
  if (outcome.kind == Outcome::Kind::kFault && outcome.record_fault) report(outcome.fault);
  send_messages();
  return outcome;
}

Outcome FunctionalEngine::peek(const Request& request) {
  Translation translation;
  translation.start(request, registers_, Effects::kNone);
  drive(translation, memory_);
  return translation.outcome();
}

void FunctionalEngine::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  registers_.write(offset, bytes, value);
  if (registers_.ddtp_busy()) registers_.finish_ddtp();
  if (registers_.command_queue_busy()) registers_.finish_command_queue();
  if (registers_.fault_queue_busy()) registers_.finish_fault_queue();
  if (registers_.page_request_queue_busy()) registers_.finish_page_request_queue();
  send_messages();
  if (commands_run_freely_) run_commands();
}

void FunctionalEngine::run_commands() {
  while (run_one_command()) {
  }
}

bool FunctionalEngine::run_one_command() {
  if (!CommandExecution::pending(registers_)) return false;
  CommandExecution command;
  command.start(registers_);
  while (command.ask().kind != AskKind::kDone) {
    if (command.ask().kind == AskKind::kRead || command.ask().kind == AskKind::kWrite)
      command.memory(access_memory(memory_, command.ask()));
    else
      command.resume();
  }
  send_messages();
  return true;
}

void FunctionalEngine::report(const FaultRecord& fault) {
  FaultReport report;
  report.start(fault, registers_);
  if (report.ask().kind != AskKind::kDone) report.memory(access_memory(memory_, report.ask()));
}

/// A message that fails leaves a fault record, which may make another message due.
void FunctionalEngine::send_messages() {
  while (InterruptMessage::pending(registers_)) {
    InterruptMessage message;
    message.start(registers_);
    message.memory(access_memory(memory_, message.ask()));
    if (message.has_fault()) report(message.fault());
  }
}

}  // namespace iommusim::translate
