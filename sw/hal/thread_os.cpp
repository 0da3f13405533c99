// SPDX-License-Identifier: Apache-2.0
// Locks and threads of the host behind the Os interface.
#include "hal/thread_os.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <shared_mutex>

namespace iommusim::hal {
namespace {

class ThreadMutex final : public Mutex {
 public:
  void lock() override { lock_.lock(); }
  bool try_lock() override { return lock_.try_lock(); }
  void unlock() override { lock_.unlock(); }

 private:
  std::mutex lock_;
};

class ThreadRwLock final : public RwLock {
 public:
  void lock() override { lock_.lock(); }
  bool try_lock() override { return lock_.try_lock(); }
  void unlock() override { lock_.unlock(); }
  void lock_shared() override { lock_.lock_shared(); }
  bool try_lock_shared() override { return lock_.try_lock_shared(); }
  void unlock_shared() override { lock_.unlock_shared(); }

 private:
  std::shared_mutex lock_;
};

class ThreadWaitQueue final : public WaitQueue {
 public:
  void wait(Mutex& mutex) override { condition_.wait(mutex); }
  bool wait_for(Mutex& mutex, std::uint64_t ns) override {
    return condition_.wait_for(mutex, std::chrono::nanoseconds(ns)) == std::cv_status::no_timeout;
  }
  void wake_all() override { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace

ThreadOs::ThreadOs(LogSink sink) : sink_(std::move(sink)) {
  if (!sink_) sink_ = [](const std::string& line) { std::cerr << line << '\n'; };
}

ThreadOs::~ThreadOs() {
  for (;;) {  // a thread may start another one while it ends
    std::vector<std::thread> ending;
    {
      const std::lock_guard guard(threads_lock_);
      ending.swap(threads_);
    }
    if (ending.empty()) return;
    for (auto& thread : ending) thread.join();
  }
}

std::unique_ptr<Mutex> ThreadOs::make_mutex() { return std::make_unique<ThreadMutex>(); }
std::unique_ptr<RwLock> ThreadOs::make_rwlock() { return std::make_unique<ThreadRwLock>(); }
std::unique_ptr<WaitQueue> ThreadOs::make_wait_queue() { return std::make_unique<ThreadWaitQueue>(); }

std::uint64_t ThreadOs::now_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count());
}

void ThreadOs::sleep_ns(std::uint64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }
void ThreadOs::relax() { std::this_thread::yield(); }

void ThreadOs::start_thread(const std::string&, std::function<void()> body) {
  // In a process that is also a program of its own, the program's signals are not for this thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  {
    const std::lock_guard guard(threads_lock_);
    threads_.emplace_back(std::move(body));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ThreadOs::log(const std::string& line) {
  const std::lock_guard guard(log_lock_);
  sink_(line);
}

}  // namespace iommusim::hal
