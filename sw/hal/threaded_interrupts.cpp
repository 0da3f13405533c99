// SPDX-License-Identifier: Apache-2.0
// The handler threads of ThreadedInterrupts.
#include "hal/threaded_interrupts.h"

#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::hal {

ThreadedInterrupts::ThreadedInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages,
                                       std::uint64_t latency_ns)
    : os_(os), messages_(messages), latency_ns_(latency_ns) {
  for (unsigned i = 0; i < vectors; ++i) {
    lines_.push_back(std::make_shared<Line>());
    lines_.back()->lock = os.make_mutex();
    lines_.back()->changed = os.make_wait_queue();
  }
}

ThreadedInterrupts::~ThreadedInterrupts() {
  for (unsigned vector = 0; vector < vectors(); ++vector) {
    set_handler(vector, {});
    const std::lock_guard guard(*lines_[vector]->lock);
    lines_[vector]->stop = true;
    lines_[vector]->changed->wake_all();
  }
}

void ThreadedInterrupts::serve(Line& line, Os& os, std::uint64_t latency_ns) {
  std::unique_lock guard(*line.lock);
  for (;;) {
    while (!line.stop && !(line.pending && line.handler)) line.changed->wait(*line.lock);
    if (line.stop) return;
    line.pending = false;
    line.running = true;
    const auto handler = line.handler;
    guard.unlock();
    if (latency_ns != 0) os.spend_ns(latency_ns);
    handler();
    guard.lock();
    line.running = false;
    if (line.high) line.pending = true;
    line.changed->wake_all();
  }
}

void ThreadedInterrupts::raise(unsigned vector) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  Line& line = *lines_[vector];
  const std::lock_guard guard(*line.lock);
  line.pending = true;
  line.changed->wake_all();
}

void ThreadedInterrupts::set_level(unsigned vector, bool high) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  {
    const std::lock_guard guard(*lines_[vector]->lock);
    lines_[vector]->high = high;
  }
  if (high) raise(vector);
}

bool ThreadedInterrupts::deliver(std::uint64_t address, std::uint32_t data) {
  if (!messages_ || address != messages_->address || data - messages_->first_data >= vectors()) return false;
  raise(data - messages_->first_data);
  return true;
}

void ThreadedInterrupts::set_handler(unsigned vector, std::function<void()> handler) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  const std::shared_ptr<Line> line = lines_[vector];
  std::unique_lock guard(*line->lock);
  const bool disconnect = !handler;
  line->handler = std::move(handler);
  if (disconnect) {
    line->pending = false;
    while (line->running) line->changed->wait(*line->lock);
    return;
  }
  if (!line->thread_started) {
    line->thread_started = true;
    os_.start_thread("irq/" + std::to_string(vector), [line, os = &os_, ns = latency_ns_] { serve(*line, *os, ns); });
  }
  line->changed->wake_all();
}

bool ThreadedInterrupts::message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) {
  if (!messages_) return false;
  address = messages_->address;
  data = messages_->first_data + vector;
  return true;
}

}  // namespace iommusim::hal
