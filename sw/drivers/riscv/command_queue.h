// SPDX-License-Identifier: Apache-2.0
// The command queue as many threads use it at once (riscv_driver.md 7). Commands take slot numbers from an unbounded
// counter; slots are handed to hardware in that order, so the tail only moves forward. Completion is seen by polling
// the head. A queue that makes no progress within its limit is dead: later commands fail with EIO at once, since a slot
// that was taken and not filled would hold up all that follow.
//
// Errors that hardware reports are repaired by the interrupt handler, see queue_repair.cpp: what was submitted is done
// as submitted, or something that covers it, or an invalidation of a device counts as not answered.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

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
  /// Hands over commands together, by one move of the tail; `last` is the slot of the last one. `count` is at least 1
  /// and less than entries().
  int submit(const Command* commands, unsigned count, std::uint64_t& last);
  /// Returns when everything that this thread submitted before has been done: IOFENCE.C. 0, ETIMEDOUT, EIO.
  int fence();
  /// Returns when the fence in `slot` has been done.
  int wait_for_fence(std::uint64_t slot);
  /// The interrupt of the queue: reports, repairs and clears what stopped it.
  void handle_interrupt();

  std::uint64_t entries() const { return entries_; }
  std::uint64_t submitted() const { return producer_.load(std::memory_order_relaxed); }
  /// Fences that told of an ATS invalidation that timed out (IOMMU 3.1.4), whoever sent either, and ATS invalidations
  /// that the queue did not take. More at the end of a fence than before the invalidation was submitted: it may not
  /// have been done.
  std::uint64_t time_outs() const { return time_outs_.load(); }
  std::uint64_t fences() const { return fences_.load(std::memory_order_relaxed); }
  std::uint64_t replaced() const { return replaced_.load(); }  ///< commands that hardware refused, and others took over
  std::uint64_t moves() const { return moves_.load(); }        ///< times that the queue went to other memory

 private:
  int wait_for_space(std::uint64_t slot, unsigned count);
  int hand_over(std::uint64_t slot, const Command* commands, unsigned count);
  /// False: the queue moves. Otherwise it does not before leave().
  bool enter();
  void leave() { inside_.fetch_sub(1); }
  /// Reads cqh and moves the shadow head up to it.
  std::uint64_t observe_head();
  int give_up(const char* what);
  std::uint64_t entry(std::uint64_t slot) const { return queue_.entry(slot - origin_.load()); }

  void report(std::uint32_t errors, std::uint64_t head);
  void repair(std::uint32_t errors, std::uint64_t head);
  void write_again(std::uint64_t slot);
  void replace(std::uint64_t slot);
  void move(std::uint64_t head);

  const Ports& ports_;
  HardwareQueue queue_;
  std::atomic<std::uint64_t> producer_{0};  // next slot number
  std::atomic<std::uint64_t> tail_{0};      // slots handed to hardware
  std::atomic<std::uint64_t> head_{0};      // slots that hardware is known to have passed
  std::atomic<std::uint64_t> origin_{0};    // slot of the entry at index 0 when the queue came on
  std::atomic<std::uint64_t> fences_{0};
  std::atomic<std::uint64_t> time_outs_{0}, replaced_{0}, moves_{0};
  std::atomic<bool> dead_{false};
  std::atomic<bool> moving_{false};  // nobody may write entries, or look at the head
  std::atomic<unsigned> inside_{0};  // threads that do one of these
  std::uint64_t entries_ = 2;        // stays when the queue moves
  std::vector<Command> copies_;      // what is in the queue, by slot modulo its size
  // Of the interrupt handler alone:
  hal::RateLimit limit_;
  std::uint64_t error_head_ = ~0ULL;
  unsigned error_repeats_ = 0;
};

/// Commands of one thread that go to the hardware together, up to `limit` at a time; 1: each on its own, at once.
class CommandBatch {
 public:
  static constexpr unsigned kMost = 64;

  CommandBatch(CommandQueue& queue, unsigned limit);

  int add(const Command& command);
  /// Adds a fence and hands over what is left; `slot` is the fence's, for wait_for_fence().
  int close(std::uint64_t& slot);
  int flush();

 private:
  CommandQueue& queue_;
  const unsigned limit_;
  unsigned count_ = 0;
  std::array<Command, kMost> commands_;
};

}  // namespace iommusim::drivers::riscv
