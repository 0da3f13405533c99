// SPDX-License-Identifier: Apache-2.0
// Locks, waiting and threads made of SystemC events and processes.
#include "hal_systemc/systemc_os.h"

#include <iostream>
#include <systemc>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

sc_core::sc_time time_of_ns(std::uint64_t ns) { return sc_core::sc_time(static_cast<double>(ns), sc_core::SC_NS); }

bool in_a_thread() {
  const auto process = sc_core::sc_get_current_process_handle();
  return process.valid() && process.proc_kind() != sc_core::SC_METHOD_PROC_;
}

/// Tickets: the next one is served when the holder leaves.
class SystemcMutex final : public Mutex {
 public:
  void lock() override {
    const std::uint64_t ticket = next_++;
    while (serving_ != ticket) sc_core::wait(served_);
  }
  bool try_lock() override {
    if (serving_ != next_) return false;
    ++next_;
    return true;
  }
  void unlock() override {
    ensure(serving_ != next_, "unlock of a mutex that nobody holds");
    ++serving_;
    if (serving_ != next_) served_.notify();
  }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
  sc_core::sc_event served_;
};

/// A waiting writer keeps new readers out, so it is not starved.
class SystemcRwLock final : public RwLock {
 public:
  void lock() override {
    ++waiting_writers_;
    while (writer_ || readers_ != 0) sc_core::wait(changed_);
    --waiting_writers_;
    writer_ = true;
  }
  bool try_lock() override {
    if (writer_ || readers_ != 0) return false;
    writer_ = true;
    return true;
  }
  void unlock() override {
    ensure(writer_, "unlock of a lock that nobody holds for writing");
    writer_ = false;
    changed_.notify();
  }
  void lock_shared() override {
    while (writer_ || waiting_writers_ != 0) sc_core::wait(changed_);
    ++readers_;
  }
  bool try_lock_shared() override {
    if (writer_ || waiting_writers_ != 0) return false;
    ++readers_;
    return true;
  }
  void unlock_shared() override {
    ensure(readers_ != 0, "unlock of a lock that nobody holds for reading");
    if (--readers_ == 0) changed_.notify();
  }

 private:
  bool writer_ = false;
  std::uint64_t readers_ = 0;
  std::uint64_t waiting_writers_ = 0;
  sc_core::sc_event changed_;
};

class SystemcWaitQueue final : public WaitQueue {
 public:
  void wait(Mutex& mutex) override {
    mutex.unlock();  // nobody runs between this and the wait: no wake is lost
    sc_core::wait(wake_);
    mutex.lock();
  }
  bool wait_for(Mutex& mutex, std::uint64_t ns) override {
    const std::uint64_t before = wakes_;
    mutex.unlock();
    sc_core::wait(time_of_ns(ns), wake_);
    const bool woken = wakes_ != before;
    mutex.lock();
    return woken;
  }
  void wake_all() override {
    ++wakes_;
    wake_.notify();
  }

 private:
  std::uint64_t wakes_ = 0;
  sc_core::sc_event wake_;
};

}  // namespace

SystemcOs::SystemcOs(const SystemcOsParams& params, LogSink sink) : params_(params), sink_(std::move(sink)) {
  ensure(params_.relax_ns != 0, "a polling loop must let time pass");
  if (!sink_) sink_ = [](const std::string& line) { std::cerr << sc_core::sc_time_stamp() << ": " << line << '\n'; };
}

std::unique_ptr<Mutex> SystemcOs::make_mutex() { return std::make_unique<SystemcMutex>(); }
std::unique_ptr<RwLock> SystemcOs::make_rwlock() { return std::make_unique<SystemcRwLock>(); }
std::unique_ptr<WaitQueue> SystemcOs::make_wait_queue() { return std::make_unique<SystemcWaitQueue>(); }

std::uint64_t SystemcOs::now_ns() {
  static const std::uint64_t ticks_per_ns = sc_core::sc_time(1, sc_core::SC_NS).value();
  return sc_core::sc_time_stamp().value() / ticks_per_ns;
}

void SystemcOs::sleep_ns(std::uint64_t ns) { systemc_wait_ns(ns); }

void SystemcOs::start_thread(const std::string& name, std::function<void()> body) {
  sc_core::sc_spawn_options options;
  options.set_stack_size(static_cast<int>(params_.stack_bytes));
  std::string legal = name;  // '.' separates the levels of SystemC's names
  for (char& c : legal)
    if (c == '.' || c == '/' || c == ' ') c = '_';
  const auto guarded = [body = std::move(body), on_failure = params_.on_failure] {
    try {
      body();
    } catch (const sc_core::sc_unwind_exception&) {
      throw;  // the kernel ends a thread with it
    } catch (...) {
      if (!on_failure) throw;
      on_failure(std::current_exception());
    }
  };
  sc_core::sc_spawn(guarded, sc_core::sc_gen_unique_name(legal.c_str()), &options);
}

void SystemcOs::log(const std::string& line) { sink_(line); }

void systemc_wait(const sc_core::sc_time& time) {
  if (time != sc_core::SC_ZERO_TIME && in_a_thread()) sc_core::wait(time);
}

void systemc_wait_ns(std::uint64_t ns) { systemc_wait(time_of_ns(ns)); }

}  // namespace iommusim::hal
