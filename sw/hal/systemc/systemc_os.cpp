// SPDX-License-Identifier: Apache-2.0
#include "hal_systemc/systemc_os.h"

#include <cstdio>

#include "hal/contradiction.h"

namespace iommusim::hal {

namespace {

class ScMutex final : public Mutex {
 public:
  void lock() override {
    while (locked_) sc_core::wait(freed_);
    locked_ = true;
  }
  bool try_lock() override {
    if (locked_) return false;
    locked_ = true;
    return true;
  }
  void unlock() override {
    locked_ = false;
    freed_.notify(sc_core::SC_ZERO_TIME);
  }

 private:
  bool locked_ = false;
  sc_core::sc_event freed_;
};

/// A writer that waits keeps new readers out, so it gets its turn.
class ScRwLock final : public RwLock {
 public:
  void lock() override {
    ++writers_waiting_;
    while (writing_ || readers_ != 0) sc_core::wait(changed_);
    --writers_waiting_;
    writing_ = true;
  }
  bool try_lock() override {
    if (writing_ || readers_ != 0) return false;
    writing_ = true;
    return true;
  }
  void unlock() override {
    writing_ = false;
    changed_.notify(sc_core::SC_ZERO_TIME);
  }
  void lock_shared() override {
    while (writing_ || writers_waiting_ != 0) sc_core::wait(changed_);
    ++readers_;
  }
  bool try_lock_shared() override {
    if (writing_ || writers_waiting_ != 0) return false;
    ++readers_;
    return true;
  }
  void unlock_shared() override {
    if (--readers_ == 0) changed_.notify(sc_core::SC_ZERO_TIME);
  }

 private:
  bool writing_ = false;
  unsigned readers_ = 0;
  unsigned writers_waiting_ = 0;
  sc_core::sc_event changed_;
};

class ScWaitQueue final : public WaitQueue {
 public:
  void wait(Mutex& mutex) override {
    mutex.unlock();
    sc_core::wait(woken_);
    mutex.lock();
  }
  bool wait_for(Mutex& mutex, std::uint64_t ns) override {
    const std::uint64_t wakes = wakes_;
    mutex.unlock();
    sc_core::wait(sc_core::sc_time(static_cast<double>(ns), sc_core::SC_NS), woken_);
    mutex.lock();
    return wakes_ != wakes;
  }
  /// Those who wait now; an event that is notified in a later delta cycle is not missed by one that goes to sleep
  /// first.
  void wake_all() override {
    ++wakes_;
    woken_.notify(sc_core::SC_ZERO_TIME);
  }

 private:
  std::uint64_t wakes_ = 0;
  sc_core::sc_event woken_;
};

}  // namespace

std::unique_ptr<Mutex> SystemcOs::make_mutex() { return std::make_unique<ScMutex>(); }
std::unique_ptr<RwLock> SystemcOs::make_rwlock() { return std::make_unique<ScRwLock>(); }
std::unique_ptr<WaitQueue> SystemcOs::make_wait_queue() { return std::make_unique<ScWaitQueue>(); }

std::uint64_t SystemcOs::now_ns() {
  return sc_core::sc_time_stamp().value() / sc_core::sc_time(1, sc_core::SC_NS).value();
}

void SystemcOs::sleep_ns(std::uint64_t ns) {
  sc_core::wait(sc_core::sc_time::from_value(ns * sc_core::sc_time(1, sc_core::SC_NS).value()));
}

void SystemcOs::start_thread(const std::string& name, std::function<void()> body) {
  sc_core::sc_spawn(std::move(body), sc_core::sc_gen_unique_name(name.c_str()));
}

void SystemcOs::log(const std::string& line) {
  std::fprintf(stderr, "[%14llu ns] %s\n", static_cast<unsigned long long>(now_ns()), line.c_str());
}

}  // namespace iommusim::hal
