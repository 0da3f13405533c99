// SPDX-License-Identifier: Apache-2.0
// The loops of the functional engine.
#include "translate/functional.h"

#include "base/error.h"
#include "translate/debug_interface.h"
#include "translate/request_events.h"

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

/// Nothing is remembered and nothing is written: false when the process would write.
bool drive_without_effect(Translation& process, MemoryPort& memory) {
  while (true) {
    switch (process.ask().kind) {
      case AskKind::kDone:
        return true;
      case AskKind::kLookupDevice:
      case AskKind::kLookupProcess:
      case AskKind::kLookupTranslation:
      case AskKind::kLookupWalk:
      case AskKind::kLookupMsi:
      case AskKind::kLookupDirectory:
        process.miss();
        break;
      case AskKind::kRead:
        process.memory(memory.read(process.ask().memory));
        break;
      case AskKind::kWrite:
      case AskKind::kCompareSwap:
        return false;
      default:
        process.resume();
    }
  }
}

template <class Process, class Entry>
void answer_lookup(Process& process, const Entry* entry) {
  if (entry != nullptr)
    process.hit(*entry);
  else
    process.miss();
}

}  // namespace

void FunctionalEngine::count_request(const Request& request) { count(event_of(request), request); }

void FunctionalEngine::count(HpmEvent event, const Request& request, const AddressSpaceTag& tag) {
  registers_.count_event(event, source_of(request, tag));
}

/// `process` is a Translation, or a PageRequestHandling, on behalf of `request`. Events 4 to 8 are counted as the cycle
/// model does: a look-up that misses, a walk that begins.
template <class Process>
void FunctionalEngine::drive(Process& process, const Request& request) {
  const bool counts = registers_.counts_events();
  bool final_walk = false;  // false: the second stage serves the way to a process context, which has no PSCID yet
  while (true) {
    const Ask& ask = process.ask();
    switch (ask.kind) {
      case AskKind::kDone:
        return;
      case AskKind::kLookupDevice: {
        const spec::DeviceContext* const context = caches_.device(ask);
        if (counts && context == nullptr) count(HpmEvent::kDeviceDirectoryWalk, request);
        answer_lookup(process, context);
        break;
      }
      case AskKind::kLookupProcess: {
        const spec::ProcessContext* const context = caches_.process(ask);
        if (counts && context == nullptr) count(HpmEvent::kProcessDirectoryWalk, request);
        answer_lookup(process, context);
        break;
      }
      case AskKind::kLookupTranslation:
        final_walk = true;
        if (counts) count(HpmEvent::kTlbMiss, request, ask.key.tag);
        process.miss();
        break;
      case AskKind::kLookupWalk:
        if (counts)
          count(ask.walk.second_stage ? HpmEvent::kSecondStageWalk : HpmEvent::kFirstStageWalk, request,
                final_walk ? ask.key.tag : ask.walk.tag);
        // Model: the device keeps what an ATS request finds, so it is found anew.
        answer_lookup(process, request.type == AddressType::kAtsRequest ? nullptr : caches_.walk(ask.walk));
        break;
      case AskKind::kLookupMsi:
      case AskKind::kLookupDirectory:
        process.miss();
        break;
      case AskKind::kRead:
      case AskKind::kWrite:
      case AskKind::kCompareSwap:
        process.memory(access_memory(memory_, ask));
        break;
      default:
        caches_.fill(ask);
        process.resume();
    }
  }
}

const Outcome& FunctionalEngine::translate(const Request& request) {
  if (registers_.counts_events()) {
    count_request(request);
    send_messages();
  }
  if (const Outcome* const known = caches_.find(request); known != nullptr) return *known;
  translation_.start(request, registers_);
  drive(translation_, request);
  const Outcome& outcome = translation_.outcome();
  if (outcome.kind == Outcome::Kind::kTranslated)
    caches_.keep(request, outcome);
  else if (outcome.record_fault)
    report(outcome.fault);
  send_messages();
  return outcome;
}

Outcome FunctionalEngine::peek(const Request& request) {
  Translation translation;
  translation.start(request, registers_, Effects::kNone);
  base::ensure(drive_without_effect(translation, memory_), "a translation without effects asked for a write");
  return translation.outcome();
}

std::optional<Outcome> FunctionalEngine::translate_unseen(const Request& request) {
  if (registers_.counts_events()) return std::nullopt;
  Translation translation;
  translation.start(request, registers_);
  if (!drive_without_effect(translation, memory_)) return std::nullopt;
  const Outcome& outcome = translation.outcome();
  if (outcome.kind != Outcome::Kind::kTranslated || outcome.is_msi) return std::nullopt;
  return outcome;
}

void FunctionalEngine::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  const QosId qos = registers_.qos();
  registers_.write(offset, bytes, value);
  if (!(registers_.qos() == qos)) caches_.clear();  // outcomes with ddtp Bare have it
  if (registers_.ddtp_busy()) {
    registers_.finish_ddtp();
    caches_.clear();
    give_up_translations();
  }
  if (registers_.counts_events()) give_up_translations();
  if (registers_.command_queue_busy() && !command_waits_) registers_.finish_command_queue();
  if (registers_.fault_queue_busy()) registers_.finish_fault_queue();
  if (registers_.page_request_queue_busy()) registers_.finish_page_request_queue();
  if (registers_.debug_busy()) registers_.finish_debug(debug_response(translate(debug_request(registers_))));
  send_messages();
  if (commands_run_freely_) run_commands();
}

void FunctionalEngine::run_commands() {
  while (run_one_command()) {
  }
}

bool FunctionalEngine::run_one_command() {
  if (command_waits_ || !CommandExecution::pending(registers_)) return false;
  command_.start(registers_);
  go_on_with_command();
  return true;
}

void FunctionalEngine::go_on_with_command() {
  command_waits_ = false;
  while (command_.ask().kind != AskKind::kDone) {
    switch (command_.ask().kind) {
      case AskKind::kRead:
      case AskKind::kWrite:
        command_.memory(access_memory(memory_, command_.ask()));
        break;
      case AskKind::kInvalidate:
        caches_.invalidate(command_.ask().invalidation);
        give_up_translations();
        command_.resume();
        break;
      case AskKind::kSendMessage:
        if (messages_ != nullptr) messages_->send(command_.ask().message);
        command_.resume();
        break;
      case AskKind::kAwaitInvalidation:
        command_.resume();
        if (command_.ask().kind != AskKind::kAwaitInvalidation) break;
        command_waits_ = true;
        return send_messages();
      default:
        command_.resume();
    }
  }
  if (registers_.command_queue_busy()) registers_.finish_command_queue();  // it was turned off meanwhile
  send_messages();
}

bool FunctionalEngine::invalidation_completion(const InvalidationCompletion& message) {
  const bool expected = registers_.invalidations().complete(message);
  if (command_waits_) go_on_with_command();
  if (commands_run_freely_) run_commands();
  return expected;
}

void FunctionalEngine::invalidation_time_out(std::uint32_t itag_vector) {
  registers_.invalidations().time_out(itag_vector);
  if (command_waits_) go_on_with_command();
  if (commands_run_freely_) run_commands();
}

void FunctionalEngine::page_request(const PageRequest& request) {
  PageRequestHandling handling;
  handling.start(request, registers_);
  drive(handling, PageRequestHandling::location_request(request));
  if (handling.has_fault()) report(handling.fault());
  if (handling.has_response() && messages_ != nullptr) messages_->send(handling.response());
  send_messages();
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
