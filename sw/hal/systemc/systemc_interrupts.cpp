// SPDX-License-Identifier: Apache-2.0
// Handler threads of SystemcInterrupts.
#include "hal_systemc/systemc_interrupts.h"

#include "hal/contradiction.h"
#include "hal_systemc/systemc_os.h"

namespace iommusim::hal {

SystemcInterrupts::SystemcInterrupts(Os& os, unsigned vectors, std::uint64_t latency_ns,
                                     std::optional<MessageTarget> messages)
    : os_(os), latency_ns_(latency_ns), messages_(messages) {
  for (unsigned i = 0; i < vectors; ++i) lines_.push_back(std::make_unique<Line>());
}

void SystemcInterrupts::raise(unsigned vector) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  lines_[vector]->pending = true;
  lines_[vector]->raised.notify(sc_core::SC_ZERO_TIME);
}

void SystemcInterrupts::set_level(unsigned vector, bool high) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  lines_[vector]->high = high;
  if (high) raise(vector);
}

bool SystemcInterrupts::deliver(std::uint64_t address, std::uint32_t data) {
  if (!messages_ || address != messages_->address || data - messages_->first_data >= vectors()) return false;
  raise(data - messages_->first_data);
  return true;
}

void SystemcInterrupts::serve(Line& line) const {
  for (;;) {
    while (!(line.pending && line.handler)) sc_core::wait(line.raised);
    systemc_wait_ns(latency_ns_);
    if (!line.handler) continue;  // disconnected meanwhile
    line.pending = false;
    line.running = true;
    const auto handler = line.handler;
    handler();
    line.running = false;
    if (line.high) line.pending = true;
    line.done.notify();
  }
}

void SystemcInterrupts::set_handler(unsigned vector, std::function<void()> handler) {
  ensure(vector < lines_.size(), "interrupt vector out of range");
  Line& line = *lines_[vector];
  line.handler = std::move(handler);
  if (!line.handler) {
    line.pending = false;
    while (line.running) sc_core::wait(line.done);
    return;
  }
  if (!line.thread_started) {
    line.thread_started = true;
    os_.start_thread("irq" + std::to_string(vector), [this, &line] { serve(line); });
  }
  if (line.pending) line.raised.notify(sc_core::SC_ZERO_TIME);
}

bool SystemcInterrupts::message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) {
  if (!messages_) return false;
  address = messages_->address;
  data = messages_->first_data + vector;
  return true;
}

}  // namespace iommusim::hal
