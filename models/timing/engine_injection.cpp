// SPDX-License-Identifier: Apache-2.0
// Injections that strike the engine itself: queues that stand still, completions of ATS invalidations that are lost or
// late, invalidations that are given up. Those that strike memory accesses are in memory_port.h.
#include <algorithm>

#include "timing/engine.h"

namespace iommusim::timing {

void Engine::inject(Injector* injector) {
  injector_ = injector;
  memory_.inject(injector, clock_);
}

base::Cycle Engine::stall_cycles(InjectionQueue queue, base::Cycle now) {
  return clock_.cycles_of_ns(injector_->stall(queue, clock_.time_of(now)));
}

namespace {

template <class PutOff>
void put_off(std::vector<PutOff>& all, const PutOff& one) {
  all.insert(
      std::upper_bound(all.begin(), all.end(), one, [](const PutOff& a, const PutOff& b) { return a.at < b.at; }), one);
}

}  // namespace

/// A page response is no invalidation and never timed.
void Engine::invalidation_sent(const translate::DeviceMessage& message, base::Cycle now) {
  if (message.kind != translate::DeviceMessage::Kind::kInvalidationRequest) return;
  const auto delay = injector_->time_out(message.function.device_id(), clock_.time_of(now));
  if (delay) put_off(put_off_, PutOff{now + clock_.cycles_of_ns(*delay), {}, 1U << message.itag});
}

/// true: the completion is lost, or comes later.
bool Engine::strike_completion(const translate::InvalidationCompletion& message, base::Cycle now) {
  const Injector::CompletionStrike strike = injector_->completion(message.function.device_id(), clock_.time_of(now));
  if (!strike.dropped && strike.delay_ns != 0)
    put_off(put_off_, PutOff{now + clock_.cycles_of_ns(strike.delay_ns), message, 0});
  return strike.dropped || strike.delay_ns != 0;
}

bool Engine::take_completion(const translate::InvalidationCompletion& message, base::Cycle now) {
  const bool expected = registers_.invalidations().complete(message);
  invalidations_changed(now);
  return expected;
}

/// A tag that is free again is another request's when it is used next: its time-out is off.
void Engine::invalidations_changed(base::Cycle now) {
  const std::uint32_t outstanding = registers_.invalidations().outstanding_tags();
  put_off_.erase(std::remove_if(put_off_.begin(), put_off_.end(),
                                [&](const PutOff& one) {
                                  return one.time_out_tags != 0 && (one.time_out_tags & outstanding) == 0;
                                }),
                 put_off_.end());
  queues_.invalidations_changed(now);
}

bool Engine::step_put_off(base::Cycle now) {
  if (put_off_.front().at > now) return false;
  const PutOff due = put_off_.front();
  put_off_.erase(put_off_.begin());
  if (due.time_out_tags != 0)
    invalidation_time_out(due.time_out_tags, now);
  else
    take_completion(due.completion, now);
  return true;
}

}  // namespace iommusim::timing
