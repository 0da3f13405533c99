// SPDX-License-Identifier: Apache-2.0
// Interrupts of a device in a simulation: set_level() is called by the model, from any SystemC process, when a wire
// changes, raise() when a message arrives; the handler runs some time later in an SC_THREAD of the software. Raises
// latch: any number before a run make one run, one during a run makes another. Wires are sensitive to their level.
#pragma once

#include <optional>
#include <systemc>
#include <vector>

#include "hal/hardware.h"
#include "hal/os.h"
#include "hal/threaded_interrupts.h"

namespace iommusim::hal {

class SystemcInterrupts final : public Interrupts {
 public:
  /// `latency_ns`: from raise() to the first instruction of the handler.
  SystemcInterrupts(Os& os, unsigned vectors, std::uint64_t latency_ns,
                    std::optional<MessageTarget> messages = std::nullopt);

  void raise(unsigned vector);
  /// A wire's level: while it is high the vector fires, again after each run of the handler.
  void set_level(unsigned vector, bool high);
  /// A device wrote `data` to `address`. False: not a message of ours.
  bool deliver(std::uint64_t address, std::uint32_t data);

  unsigned vectors() const override { return static_cast<unsigned>(lines_.size()); }
  void set_handler(unsigned vector, std::function<void()> handler) override;
  bool message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) override;

 private:
  struct Line {
    std::function<void()> handler;
    bool thread_started = false;
    bool pending = false;
    bool high = false;
    bool running = false;
    sc_core::sc_event raised;
    sc_core::sc_event done;
  };
  void serve(Line& line) const;

  Os& os_;
  const std::uint64_t latency_ns_;
  const std::optional<MessageTarget> messages_;
  std::vector<std::unique_ptr<Line>> lines_;
};

}  // namespace iommusim::hal
