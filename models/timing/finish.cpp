// SPDX-License-Identifier: Apache-2.0
// The end of a request: its walker is given back, it is counted, its result leaves, its fault is recorded. And what a
// deadlock report says.
#include "timing/engine.h"
#include "translate/debug_interface.h"

namespace iommusim::timing {

void Engine::finish(std::uint32_t i, base::Cycle now) {
  if (is_prefetch(i)) return finish_prefetch(i, now);
  Slot& slot = slots_[i];
  const translate::Outcome& outcome = slot.process.outcome();
  const bool ok = outcome.kind == translate::Outcome::Kind::kTranslated;
  const bool walked_ok = outcome.fault.cause == 0;
  if (slot.state == SlotState::kWalk)
    end_walk(i, walked_ok, now);
  else if (slot.holds_walker())
    end_context_walk(i, walked_ok, now);

  if (slot.walked) --missed_inside_;
  if (is_own(i)) {
    finish_own(i);
  } else {
    count_finished(slot, now);
    const bool is_write = slot.process.request().is_write();
    const bool forwards =
        ok && slot.process.request().type != translate::AddressType::kAtsRequest && !outcome.absorbed();
    if (forwards) ++(is_write ? forwarded_writes_ : forwarded_reads_)[slot.epoch];
    const base::Cycle done = ok ? now : now + params_.ingress.error_cycles;
    (done == now ? finished_ : errors_)
        .push({slot.cookie, outcome, {slot.epoch, is_write}, slot.accepted, now, done, forwards, slot.timeline});
  }
  if (!ok && outcome.record_fault) {
    slot.state = SlotState::kFaultRecord;
    queues_.report(outcome.fault, i, now);
    return;
  }
  if (!ok && outcome.fault.cause != 0) ++stats_.faults.suppressed;
  release(i);
}

void Engine::count_finished(const Slot& slot, base::Cycle now) {
  RequestStats& stats = stats_.requests;
  const base::Cycle latency = now - slot.accepted;
  stats.latency.add(latency);
  (slot.walked ? stats.latency_miss : stats.latency_hit).add(latency);
  const base::Cycle start = stats.in_flight.data().start();
  stats.residence += now - (slot.accepted > start ? slot.accepted : start);
  stats.in_flight.leave(now);
  const translate::Request& request = slot.process.request();
  if (params_.ingress.write_buffer_bytes != 0 && request.is_write()) unbuffer_write(request.bytes, now);
  if (device_stats_.on())
    device_stats_.count(request.device, slot.process.outcome().kind == translate::Outcome::Kind::kFault, slot.walked,
                        latency);
  if (slot.process.outcome().kind == translate::Outcome::Kind::kFault) {
    ++stats.faulted;
    return;
  }
  ++stats.completed;
  if (slot.process.outcome().bypass) ++stats.bypassed;
}

void Engine::finish_own(std::uint32_t i) {
  const translate::Translation& process = slots_[i].process;
  if (i == debug_slot())
    registers_.finish_debug(translate::debug_response(process.outcome()));
  else
    page_requests_.located(process);
}

void Engine::release(std::uint32_t i) {
  --translating_[slots_[i].epoch];
  slots_[i].state = SlotState::kFree;
  if (!is_own(i)) free_slots_[free_count_++] = i;
}

std::string Engine::describe() const {
  static constexpr const char* kNames[] = {"free",
                                           "ingress",
                                           "device look-up",
                                           "device merged",
                                           "device walker wait",
                                           "device walk",
                                           "process look-up",
                                           "process merged",
                                           "process walker wait",
                                           "process walk",
                                           "MSI entry look-up",
                                           "translation look-up",
                                           "miss stall",
                                           "merged",
                                           "walker wait",
                                           "walk",
                                           "fault record"};
  std::string text = "slots:";
  for (std::uint32_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].state != SlotState::kFree)
      text += "\n  " + std::to_string(i) + ": " + kNames[static_cast<unsigned>(slots_[i].state)] +
              ", accepted at cycle " + std::to_string(slots_[i].accepted) + ", waits for ask " +
              std::to_string(static_cast<unsigned>(slots_[i].process.ask().kind));
  text += "\nwalkers busy " + std::to_string(walkers_busy_) + ", directory walkers busy " +
          std::to_string(directory_walkers_busy_);
  text += "\nmemory port: " + std::to_string(memory_.in_flight()) + " in flight, " + std::to_string(memory_.waiting()) +
          " waiting";
  text += "\nforwarded and not done: reads " + std::to_string(forwarded_reads_[0] + forwarded_reads_[1]) + ", writes " +
          std::to_string(forwarded_writes_[0] + forwarded_writes_[1]);
  text += "\nprefetches waiting " + std::to_string(prefetch_wanted_.size()) + ", misses inside " +
          std::to_string(missed_inside_);
  text += "\npage requests waiting " + std::to_string(page_requests_.waiting()) + ", messages to be carried away " +
          std::to_string(messages_.size());
  return text + "\n" + queues_.describe();
}

}  // namespace iommusim::timing
