// SPDX-License-Identifier: Apache-2.0
// Interrupts of one device in a simulation: raise() may be called from any SystemC process; the handler runs in a
// thread of its vector, a fixed time later. A vector that is raised while its handler runs makes it run once more.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <systemc>

#include "hal/hardware.h"
#include "hal/os.h"
#include "hal/threaded_interrupts.h"

namespace iommusim::hal {

class SystemcInterrupts final : public Interrupts {
 public:
  /// `messages`: where messages are written; without it there are wires only. `latency_ns`: from raise() to the
  /// handler.
  SystemcInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages, std::uint64_t latency_ns);

  void raise(unsigned vector);
  /// A device wrote a message. False: not one of ours.
  bool deliver(std::uint64_t address, std::uint32_t data);

  unsigned vectors() const override { return static_cast<unsigned>(lines_.size()); }
  void set_handler(unsigned vector, std::function<void()> handler) override;
  bool message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) override;

 private:
  struct Line {
    std::function<void()> handler;
    bool pending = false;
    bool running = false;
    bool thread_started = false;
    sc_core::sc_event raised;
    sc_core::sc_event ended;
  };
  void serve(Line& line);

  Os& os_;
  std::optional<MessageTarget> messages_;
  std::uint64_t latency_ns_;
  std::deque<Line> lines_;
};

}  // namespace iommusim::hal
