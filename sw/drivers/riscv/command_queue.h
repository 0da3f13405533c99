// SPDX-License-Identifier: Apache-2.0
// The command queue as many threads use it at once (riscv_driver.md 7). Each command takes a slot number from an
// unbounded counter; slots are handed to hardware in that order, so the tail only moves forward. Completion is seen by
// polling the head. A queue that makes no progress within its limit is dead: later commands fail with EIO at once,
// since a slot that was taken and not filled would hold up all that follow.
#pragma once

#include <atomic>
#include <memory>

#include "drivers/riscv/commands.h"
#include "drivers/riscv/hardware_queue.h"
#include "hal/rate_limit.h"

namespace iommusim::drivers::riscv {

class CommandQueue {
 public:
  explicit CommandQueue(const Ports& ports);

  int enable(unsigned log2_entries);
  void disable();

  /// Hands one command to the hardware; does not wait for its execution. 0, ETIMEDOUT, EIO (dead).
  int submit(const Command& command);
  /// Returns when everything that this thread submitted before has been done: IOFENCE.C. 0, ETIMEDOUT, EIO.
  int fence();
  /// The interrupt of the queue: reports and clears error bits. An illegal command stays where it is.
  void handle_interrupt();

  std::uint64_t entries() const { return queue_.entries(); }
  std::uint64_t submitted() const { return producer_.load(std::memory_order_relaxed); }
  /// Fences that told of an ATS invalidation that timed out (IOMMU 3.1.4), whoever sent either. More at the end of a
  /// fence than before the invalidation was submitted: it may not have been done.
  std::uint64_t time_outs() const { return time_outs_.load(); }
  std::uint64_t fences() const { return fences_.load(std::memory_order_relaxed); }

 private:
  int submit_to(const Command& command, std::uint64_t& slot);
  /// Reads cqh and moves the shadow head up to it.
  std::uint64_t observe_head();
  int give_up(const char* what);

  const Ports& ports_;
  HardwareQueue queue_;
  std::atomic<std::uint64_t> producer_{0};  // next slot number
  std::atomic<std::uint64_t> tail_{0};      // slots handed to hardware
  std::atomic<std::uint64_t> head_{0};      // slots that hardware is known to have passed
  std::atomic<std::uint64_t> fences_{0};
  std::atomic<std::uint64_t> time_outs_{0};
  std::atomic<bool> dead_{false};
  // Of the interrupt handler alone:
  hal::RateLimit limit_;
  std::uint64_t error_head_ = ~0ULL;
  unsigned error_repeats_ = 0;
};

}  // namespace iommusim::drivers::riscv
