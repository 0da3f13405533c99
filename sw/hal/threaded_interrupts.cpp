// SPDX-License-Identifier: Apache-2.0
// The handler threads of ThreadedInterrupts.
#include "hal/threaded_interrupts.h"

#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::hal {

ThreadedInterrupts::ThreadedInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages)
    : os_(os), messages_(messages) {
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

void ThreadedInterrupts::serve(Line& line) {
  std::unique_lock guard(*line.lock);
  for (;;) {
    while (!line.stop && !(line.pending && line.handler)) line.changed->wait(*line.lock);
    if (line.stop) return;
    line.pending = false;
    line.running = true;
    const auto handler = line.handler;
    guard.unlock();
    handler();
    guard.lock();
    line.running = false;
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
    os_.start_thread("irq/" + std::to_string(vector), [line] { serve(*line); });
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
