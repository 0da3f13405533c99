// SPDX-License-Identifier: Apache-2.0
// How the thread of a queue waits for its device: an interrupt, latched until somebody waits for it, or a turn of a
// polling loop. A wait ends after a while without an interrupt too, so that a device that stopped is noticed.
#pragma once

#include <memory>
#include <mutex>

#include "hal/os.h"

namespace iommusim::drivers::rings {

class CompletionWait {
 public:
  static constexpr std::uint64_t kPatienceNs = 1'000'000;

  CompletionWait(hal::Os& os, bool polling)
      : os_(os), polling_(polling), lock_(os.make_mutex()), raised_(os.make_wait_queue()) {}

  bool polling() const { return polling_; }
  std::uint64_t turns() const { return turns_; }
  std::uint64_t interrupts() const { return interrupts_; }

  /// From the handler.
  void interrupt() {
    const std::unique_lock<hal::Mutex> guard(*lock_);
    pending_ = true;
    ++interrupts_;
    raised_->wake_all();
  }
  /// False: nothing came for a long time. The interrupt must have been asked for.
  bool wait() {
    if (polling_) {
      os_.relax();
      return ++turns_ % 4096 != 0;
    }
    std::unique_lock<hal::Mutex> guard(*lock_);
    const std::uint64_t end = os_.now_ns() + kPatienceNs;
    while (!pending_) {
      const std::uint64_t now = os_.now_ns();
      if (now >= end || !raised_->wait_for(*lock_, end - now)) break;
    }
    const bool came = pending_;
    pending_ = false;
    return came;
  }

 private:
  hal::Os& os_;
  bool polling_;
  std::unique_ptr<hal::Mutex> lock_;  // guards pending_ and interrupts_
  std::unique_ptr<hal::WaitQueue> raised_;
  bool pending_ = false;
  std::uint64_t interrupts_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace iommusim::drivers::rings
