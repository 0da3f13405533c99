// SPDX-License-Identifier: Apache-2.0
// Interrupts whose handlers run in threads of the Os, one thread a vector. raise() latches: a vector raised while its
// handler runs makes it run once more, any number of raises before a run make one. For plain threads; a simulation uses
// the binding in hal_systemc, whose raise() may be called from any SystemC process.
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
  ThreadedInterrupts(Os& os, unsigned vectors, std::optional<MessageTarget> messages = std::nullopt);
  /// Disconnects all handlers.
  ~ThreadedInterrupts() override;

  /// The wire of `vector` rose. Never blocks for long; callable from any host thread.
  void raise(unsigned vector);
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
    bool running = false;
    bool stop = false;
  };
  static void serve(Line& line);

  Os& os_;
  std::optional<MessageTarget> messages_;
  std::vector<std::shared_ptr<Line>> lines_;
};

}  // namespace iommusim::hal
