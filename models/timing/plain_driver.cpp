// SPDX-License-Identifier: Apache-2.0
#include "timing/plain_driver.h"

#include <algorithm>

namespace iommusim::timing {

PlainDriver::PlainDriver(Engine& engine, translate::MemoryPort& memory, const PlainDriverParams& params)
    : engine_(engine), memory_(memory), params_(params), random_(params.seed) {}

bool PlainDriver::offer(const translate::Request& request, std::uint64_t cookie, std::uint32_t port) {
  if (!engine_.can_accept(request)) return false;
  engine_.accept(request, cookie, now_, port);
  settle();
  return true;
}

void PlainDriver::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  engine_.write_register(offset, bytes, value, now_);
  settle();
}

bool PlainDriver::page_request(const translate::PageRequest& request) {
  if (!engine_.can_accept_page_request()) return false;
  engine_.page_request(request, now_);
  settle();
  return true;
}

bool PlainDriver::invalidation_completion(const translate::InvalidationCompletion& message) {
  const bool expected = engine_.invalidation_completion(message, now_);
  settle();
  return expected;
}

void PlainDriver::invalidation_time_out(std::uint32_t itag_vector) {
  engine_.invalidation_time_out(itag_vector, now_);
  settle();
}

bool PlainDriver::grant_command() {
  const bool granted = engine_.grant_command(now_);
  settle();
  return granted;
}

bool PlainDriver::advance(base::Cycle limit) {
  const base::Cycle external = due_.empty() ? base::kNever : due_.front().at;
  const base::Cycle work = std::min(engine_.next_event(), external);
  const base::Cycle next = std::min(work, engine_.next_timer());
  if ((work == base::kNever && limit == base::kNever) || next > limit) {
    if (limit != base::kNever) now_ = std::max(now_, limit);
    return false;
  }
  now_ = std::max(now_, next);
  while (!due_.empty() && due_.front().at <= now_) {
    std::pop_heap(due_.begin(), due_.end());
    const Due& due = due_.back();
    if (due.forward)
      engine_.forwarded_done(due.ticket);
    else
      engine_.memory_answer(due.tag, due.answer, now_);
    due_.pop_back();
  }
  settle();
  return true;
}

void PlainDriver::run_until_idle() {
  while (advance()) {
  }
  if (!engine_.quiet())
    base::contradiction("the IOMMU is stuck at cycle " + std::to_string(now_) + "\n" + engine_.describe());
}

/// Lets the engine do what it can now and carries away what it put out, until nothing moves.
void PlainDriver::settle() {
  for (;;) {
    engine_.step(now_);
    auto& requests = engine_.memory_requests();
    auto& messages = engine_.messages();
    if (requests.empty() && engine_.finished().empty() && messages.empty()) return;
    for (; !messages.empty(); messages.pop()) messages_.push_back(messages.front());
    while (!requests.empty()) {
      const MemoryRequest& request = requests.front();
      Due due{now_ + params_.memory_cycles, 0, request.tag, false, {}, {}};
      if (params_.memory_jitter != 0) due.at += random_.below(params_.memory_jitter + 1);
      if (request.is_write)
        due.answer.status = memory_.write(request.ask);
      else
        due.answer = request.is_compare_swap ? memory_.compare_swap(request.ask) : memory_.read(request.ask);
      requests.pop();
      push(due);
    }
    auto& finished = engine_.finished();
    while (!finished.empty()) {
      const Finished& done = finished.front();
      if (done.forwards) push({now_ + params_.forward_cycles, 0, 0, true, done.ticket, {}});
      finished_.push_back(done);
      finished.pop();
    }
  }
}

void PlainDriver::push(Due due) {
  due.order = order_++;
  due_.push_back(due);
  std::push_heap(due_.begin(), due_.end());
}

}  // namespace iommusim::timing
