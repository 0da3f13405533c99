// SPDX-License-Identifier: Apache-2.0
#include "hal_systemc/systemc_interrupts.h"

namespace iommusim::hal {

SystemcInterrupts::SystemcInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages,
                                     std::uint64_t latency_ns)
    : os_(os), messages_(messages), latency_ns_(latency_ns), lines_(vectors) {}

void SystemcInterrupts::raise(unsigned vector) {
  if (vector >= lines_.size()) return;
  lines_[vector].pending = true;
  lines_[vector].raised.notify(sc_core::SC_ZERO_TIME);
}

bool SystemcInterrupts::deliver(std::uint64_t address, std::uint32_t data) {
  if (!messages_ || address != messages_->address || data < messages_->first_data ||
      data - messages_->first_data >= lines_.size())
    return false;
  raise(data - messages_->first_data);
  return true;
}

void SystemcInterrupts::set_handler(unsigned vector, std::function<void()> handler) {
  Line& line = lines_.at(vector);
  while (line.running) sc_core::wait(line.ended);
  line.handler = std::move(handler);
  if (line.thread_started) return;
  line.thread_started = true;
  os_.start_thread("interrupt", [this, &line] { serve(line); });
}

bool SystemcInterrupts::message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) {
  if (!messages_) return false;
  address = messages_->address;
  data = messages_->first_data + vector;
  return true;
}

void SystemcInterrupts::serve(Line& line) {
  for (;;) {
    while (!line.pending) sc_core::wait(line.raised);
    os_.spend_ns(latency_ns_);
    line.pending = false;
    if (!line.handler) continue;  // disconnected: the interrupt is lost, as a masked one
    line.running = true;
    line.handler();
    line.running = false;
    line.ended.notify(sc_core::SC_ZERO_TIME);
  }
}

}  // namespace iommusim::hal
