// SPDX-License-Identifier: Apache-2.0
// Drives the SystemC kernel from threads of the host that are no SC_THREADs: those of a program under `iommusim exec`.
// Whoever needs simulated time to pass takes the kernel's lock and advances it himself; a thread of the driver's own
// does so while the hardware has work and nobody else drives. With neither, time stands still.
//
// Why nobody waits for ever:
// 1. The kernel's lock is a leaf: under it run models and their listeners only, which take nothing but locks held for a
//    few instructions (an interrupt's line, the table of pinned pages). Who takes it may hold any lock of the stack.
// 2. A lock of the stack (DrivenOs) is one of the host. Its holder may wait for hardware, because he drives it himself,
//    or the thread of the driver does; neither needs the lock.
// 3. What sleeps until another thread acts (a WaitQueue) holds neither kind of lock.
// 4. Entry is fair: who drives for long lets in those who came meanwhile, between two steps.
// 5. A pause of a polling loop may wait for hardware or for another thread of the software. While the hardware is idle
// and
//    another thread is on its way (a Call that does not sleep), a pause lets simulated time pass far slower than that
//    of the host: a limit counted in simulated time must not be over because the host runs somebody else.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace iommusim::hal {

struct SimDriverOptions {
  /// Simulated time that is driven at once, at most; between steps others get their turn.
  std::uint64_t step_ps = 2'000'000;
  /// Called under the lock after each step; throws what went wrong in a process of the simulation.
  std::function<void()> check;
  /// Gets the first exception of a step. The simulation stands still from then on, whoever waits for it gives up.
  std::function<void(std::exception_ptr)> on_failure;
};

class SimDriver {
 public:
  explicit SimDriver(SimDriverOptions options = {});
  /// Ends the driver's own thread. No other may be inside.
  ~SimDriver();
  SimDriver(const SimDriver&) = delete;
  SimDriver& operator=(const SimDriver&) = delete;

  /// The kernel's lock: while a Turn exists the simulation stands still but for what its owner drives.
  class Turn {
   public:
    explicit Turn(SimDriver& driver);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// Advances to the absolute time; others may get a turn in between.
    void run_to(std::uint64_t time_ps);
    /// Advances until a process of the simulation calls SimDriver::stop_here(), at most to the time; nobody else gets a
    /// turn. False: it did not.
    bool run_until_stopped(std::uint64_t limit_ps);

   private:
    SimDriver& driver_;
  };

  /// A thread of the software is on its way: between the begin and the end of a program's call, or all its life.
  class Call {
   public:
    explicit Call(SimDriver& driver) : driver_(driver) { driver_.call_begins(); }
    ~Call() { driver_.call_ends(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    SimDriver& driver_;
  };
  void call_begins() { on_their_way_.fetch_add(1); }
  void call_ends() { on_their_way_.fetch_sub(1); }
  /// And sleeps until another one wakes it.
  class Sleep {
   public:
    explicit Sleep(SimDriver& driver) : driver_(driver) { driver_.on_their_way_.fetch_sub(1); }
    ~Sleep() { driver_.on_their_way_.fetch_add(1); }
    Sleep(const Sleep&) = delete;
    Sleep& operator=(const Sleep&) = delete;

   private:
    SimDriver& driver_;
  };

  /// Simulated time, as of the last step. Any thread, without the lock.
  std::uint64_t now_ps() const { return now_.load(std::memory_order_relaxed); }
  /// Lets this much time pass for the calling thread. Threads that do so at the same time share it.
  void spend_ps(std::uint64_t ps);
  /// A pause of a polling loop: as spend_ps(), or less (5. above).
  void pause_ps(std::uint64_t ps);
  /// Time that the caller owes, and lets pass when it (or somebody else) spends the next time.
  void owe_ps(std::uint64_t ps) { owed_.fetch_add(ps, std::memory_order_relaxed); }
  /// From a process of the simulation: ends run_until_stopped() at this instant.
  void stop_here();
  /// Waits until the hardware has no work left, driving it. False: it still had at the limit.
  bool run_until_idle(std::uint64_t limit_ps);
  /// Drives the hardware until `done`, which is asked under the kernel's lock. False: it does not hold, at the limit or
  /// because the hardware has no work left.
  bool run_until(const std::function<bool()>& done, std::uint64_t limit_ps);
  /// As if a step had thrown it: for threads of the stack.
  void fail(std::exception_ptr failure);
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  /// The driver's own thread drives no more; what is in flight stays so. For the end of a run.
  void stop_thread();

  std::uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }  ///< of the kernel, in all

 private:
  void enter();
  void leave();
  void yield();
  int awake() const;
  /// Under the lock.
  void step(std::uint64_t ps, bool to_the_end);
  void wake_thread();
  void drive();

  const SimDriverOptions options_;
  std::mutex gate_;                  ///< who waits for kernel_ holds it: the others queue behind him
  std::mutex kernel_;                ///< the kernel's lock
  std::atomic<unsigned> inside_{0};  ///< turns, waiting or had, without the driver's own thread
  std::atomic<int> on_their_way_{0};
  std::atomic<bool> work_{false};  ///< the hardware has some
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> now_{0}, owed_{0}, steps_{0}, slow_pauses_{0};
  std::vector<std::uint64_t> pauses_;             ///< ends of pauses; under kernel_
  bool stepping_ = false, stopped_here_ = false;  ///< under kernel_

  std::mutex thread_lock_;  ///< a leaf; guards what follows
  std::condition_variable thread_wakes_;
  std::thread thread_;
  std::atomic<bool> asleep_{true};
  bool end_ = false;
};

}  // namespace iommusim::hal
