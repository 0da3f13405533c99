// SPDX-License-Identifier: Apache-2.0
// The operating system as the software stack sees it: locks, waiting, time, threads. Two bindings exist: plain host
// threads (hal/thread_os.h) and SystemC threads (hal_systemc), where waiting lets simulated time pass. Code above keeps
// no thread_local and never holds a lock of the host across a wait: it uses these locks only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace iommusim::hal {

/// Not recursive. Meets the standard's Lockable, so std::lock_guard and std::unique_lock work on it.
class Mutex {
 public:
  virtual ~Mutex() = default;
  virtual void lock() = 0;
  virtual bool try_lock() = 0;
  virtual void unlock() = 0;
};

/// Many readers or one writer. Meets SharedMutex as far as std::shared_lock and std::unique_lock need it.
class RwLock {
 public:
  virtual ~RwLock() = default;
  virtual void lock() = 0;
  virtual bool try_lock() = 0;
  virtual void unlock() = 0;
  virtual void lock_shared() = 0;
  virtual bool try_lock_shared() = 0;
  virtual void unlock_shared() = 0;
};

/// Threads sleep here until a condition holds. The condition is protected by the mutex given.
class WaitQueue {
 public:
  virtual ~WaitQueue() = default;
  /// Releases `mutex` while asleep, holds it again on return. May return without a wake: callers loop on their
  /// condition.
  virtual void wait(Mutex& mutex) = 0;
  /// As wait(), at most `ns` nanoseconds. False: the time is over.
  virtual bool wait_for(Mutex& mutex, std::uint64_t ns) = 0;
  virtual void wake_all() = 0;
};

class Os {
 public:
  virtual ~Os() = default;
  virtual std::unique_ptr<Mutex> make_mutex() = 0;
  virtual std::unique_ptr<RwLock> make_rwlock() = 0;
  virtual std::unique_ptr<WaitQueue> make_wait_queue() = 0;
  /// Monotonic time in nanoseconds (simulated time in a simulation).
  virtual std::uint64_t now_ns() = 0;
  /// Sleeps; other threads run.
  virtual void sleep_ns(std::uint64_t ns) = 0;
  /// A short pause of a polling loop; other threads and the hardware make progress.
  virtual void relax() = 0;
  /// Charges `ns` of processor time to the calling thread (nothing on host threads).
  virtual void spend_ns(std::uint64_t ns) = 0;
  /// A kernel thread that runs `body` once. The Os joins it at its own end; the body must end when told by its owner.
  virtual void start_thread(const std::string& name, std::function<void()> body) = 0;
  /// One line of the kernel log.
  virtual void log(const std::string& line) = 0;
};

}  // namespace iommusim::hal
