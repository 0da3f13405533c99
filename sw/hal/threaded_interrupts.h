// SPDX-License-Identifier: Apache-2.0
// Interrupts whose handlers run in threads of the Os, one thread a vector. raise() latches: a vector raised while its
// handler runs makes it run once more, any number of raises before a run make one. Wires are sensitive to their level.
// For plain threads; a simulation whose software runs on SC_THREADs uses the binding in hal_systemc.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::hal {

/// Where message-signalled interrupts are written: vector v is `first_data + v`, written to `address`.
struct MessageTarget {
  std::uint64_t address = 0;
  std::uint32_t first_data = 0;
};

class ThreadedInterrupts final : public Interrupts {
 public:
  /// `latency_ns`: from raise() to the first instruction of the handler.
  ThreadedInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages = std::nullopt,
                     std::uint64_t latency_ns = 0);
  /// Disconnects all handlers.
  ~ThreadedInterrupts() override;

  /// The wire of `vector` rose. Never blocks for long; callable from any host thread.
  void raise(unsigned vector);
  /// A wire's level: while it is high the vector fires, again after each run of the handler. As raise().
  void set_level(unsigned vector, bool high);
  /// A device wrote `data` to `address`. False: not a message of ours.
  bool deliver(std::uint64_t address, std::uint32_t data);

  unsigned vectors() const override { return static_cast<unsigned>(lines_.size()); }
  void set_handler(unsigned vector, std::function<void()> handler) override;
  bool message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) override;

 private:
  struct Line {  // shared with its thread, which may end after this object
    std::unique_ptr<Mutex> lock;
    std::unique_ptr<WaitQueue> changed;
    std::function<void()> handler;
    bool thread_started = false;
    bool pending = false;
    bool high = false;
    bool running = false;
    bool stop = false;
  };
  static void serve(Line& line, Os& os, std::uint64_t latency_ns);

  Os& os_;
  std::optional<MessageTarget> messages_;
  const std::uint64_t latency_ns_;
  std::vector<std::shared_ptr<Line>> lines_;
};

}  // namespace iommusim::hal
