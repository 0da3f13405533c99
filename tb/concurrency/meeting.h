// SPDX-License-Identifier: Apache-2.0
// How a concurrency test makes threads meet without sleeping: an event, a gate that parks who passes, a rendezvous. All
// waits end after a generous time and say so, so that a lost wake fails the test instead of hanging it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace iommusim::concurrency {

inline constexpr std::chrono::seconds kPatience{10};

class Event {
 public:
  void set() {
    const std::lock_guard guard(lock_);
    set_ = true;
    changed_.notify_all();
  }
  /// False: it never happened.
  bool wait() {
    std::unique_lock guard(lock_);
    return changed_.wait_for(guard, kPatience, [this] { return set_; });
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// Parks the first thread that passes until open(); later ones pass freely.
class Gate {
 public:
  void pass() {
    {
      const std::lock_guard guard(lock_);
      if (taken_) return;
      taken_ = true;
    }
    arrived_.set();
    (void)open_.wait();
  }
  bool wait_for_arrival() { return arrived_.wait(); }
  void open() { open_.set(); }

 private:
  std::mutex lock_;
  bool taken_ = false;
  Event arrived_, open_;
};

/// `count` threads must be inside meet() at the same time.
class Rendezvous {
 public:
  explicit Rendezvous(unsigned count, std::chrono::milliseconds patience = std::chrono::seconds(10))
      : count_(count), patience_(patience) {}
  /// False: the others did not come. Whoever comes after a meeting passes.
  bool meet() {
    std::unique_lock guard(lock_);
    if (++here_ >= count_) all_.notify_all();
    return all_.wait_for(guard, patience_, [this] { return here_ >= count_; });
  }

 private:
  const unsigned count_;
  const std::chrono::milliseconds patience_;
  std::mutex lock_;
  std::condition_variable all_;
  unsigned here_ = 0;
};

/// Joins at the end of the scope.
class Threads {
 public:
  ~Threads() { join(); }
  template <class Work>
  void start(Work work) {
    threads_.emplace_back(std::move(work));
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::list<std::thread> threads_;
};

}  // namespace iommusim::concurrency
