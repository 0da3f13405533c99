// SPDX-License-Identifier: Apache-2.0
#include "timing/page_requests.h"

#include "timing/engine.h"

namespace iommusim::timing {

bool PageRequests::step(base::Cycle now) {
  switch (state_) {
    case State::kIdle:
      if (waiting_.empty()) return false;
      state_ = State::kStarting;
      ready_ = now + params_.page_request_start_cycles;
      return true;
    case State::kStarting:
      if (now < ready_) return false;
      if (engine_.injector_ != nullptr && !asked_stall_) {
        asked_stall_ = true;
        ready_ = now + engine_.stall_cycles(InjectionQueue::kPageRequest, now);
        return true;
      }
      asked_stall_ = false;
      state_ = State::kSlotWait;
      [[fallthrough]];
    case State::kSlotWait:  // the fault record of the request before is still being written
      if (!engine_.start_own(engine_.page_request_slot(),
                             translate::PageRequestHandling::location_request(waiting_.front()), now))
        return false;
      state_ = State::kLocating;
      return true;
    case State::kAnswering:
      if (engine_.messages_.full()) return false;
      engine_.messages_.push(handling_.response());
      end();
      return true;
    case State::kLocating:
    case State::kMemory:
      return false;
  }
  return false;
}

void PageRequests::located(const translate::Translation& location) {
  handling_.start_located(waiting_.front(), location, engine_.registers_);
  go_on();
}

void PageRequests::answer(const translate::MemoryAnswer& data) {
  handling_.memory(data);
  go_on();
}

void PageRequests::go_on() {
  if (handling_.ask().kind != translate::AskKind::kDone) {
    state_ = State::kMemory;
    engine_.memory_.request(QueueEngines::kPageRequestTag, handling_.ask());
    return;
  }
  engine_.queues_.condition_changed();
  if (handling_.has_response())
    state_ = State::kAnswering;
  else
    end();
}

void PageRequests::end() {
  PageRequestStats& stats = engine_.stats_.page_requests;
  ++stats.received;
  if (handling_.queued()) ++stats.queued;
  if (handling_.has_response()) ++stats.responses;
  if (handling_.has_fault()) ++stats.faulted;
  waiting_.pop();
  state_ = State::kIdle;
}

}  // namespace iommusim::timing
