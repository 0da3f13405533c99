// SPDX-License-Identifier: Apache-2.0
// Turns, steps of the kernel, and the thread that drives when nobody else does.
#include "hal_systemc/sim_driver.h"

#include <pthread.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <systemc>

namespace iommusim::hal {
namespace {

std::uint64_t kernel_time() { return sc_core::sc_time_stamp().value(); }
std::uint64_t to_next_event() { return sc_core::sc_time_to_pending_activity().value(); }

/// Signals of the program are for its own threads.
std::thread start_without_signals(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

SimDriver::SimDriver(SimDriverOptions options) : options_(std::move(options)) {
  // A step that finds nothing to do is no mistake here.
  sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
}
SimDriver::~SimDriver() { stop_thread(); }

void SimDriver::stop_thread() {
  std::thread ending;
  {
    const std::lock_guard<std::mutex> guard(thread_lock_);
    end_ = true;
    thread_wakes_.notify_all();
    ending.swap(thread_);
  }
  if (ending.joinable()) ending.join();
}

SimDriver::Turn::Turn(SimDriver& driver) : driver_(driver) {
  driver_.inside_.fetch_add(1);
  driver_.enter();
}

SimDriver::Turn::~Turn() {
  driver_.leave();
  if (driver_.inside_.fetch_sub(1) == 1 && driver_.work_.load()) driver_.wake_thread();
}

void SimDriver::enter() {
  const std::lock_guard<std::mutex> first(gate_);
  kernel_.lock();
}

void SimDriver::leave() {
  work_.store(!failed() && sc_core::sc_pending_activity());
  kernel_.unlock();
}

/// Who waits at the gate's head gets the lock before its owner has it again.
void SimDriver::yield() {
  kernel_.unlock();
  enter();
}

void SimDriver::step(std::uint64_t ps, bool to_the_end) {
  if (failed()) return;
  stepping_ = true;
  try {
    sc_core::sc_start(sc_core::sc_time::from_value(ps),
                      to_the_end ? sc_core::SC_RUN_TO_TIME : sc_core::SC_EXIT_ON_STARVATION);
    if (options_.check) options_.check();
  } catch (...) {
    fail(std::current_exception());
  }
  stepping_ = false;
  steps_.fetch_add(1, std::memory_order_relaxed);
  now_.store(kernel_time(), std::memory_order_relaxed);
}

void SimDriver::Turn::run_to(std::uint64_t time_ps) {
  for (;;) {
    const std::uint64_t now = kernel_time();
    if (now >= time_ps || driver_.failed()) return;
    // Nothing happens in an idle stretch, so it needs no steps.
    const std::uint64_t idle = sc_core::sc_pending_activity() ? to_next_event() : time_ps;
    driver_.step(std::min(time_ps - now, std::max(idle, driver_.options_.step_ps)), true);
    if (kernel_time() < time_ps && driver_.inside_.load() > 1) driver_.yield();
  }
}

bool SimDriver::Turn::run_until_stopped(std::uint64_t limit_ps) {
  driver_.stopped_here_ = false;
  while (!driver_.stopped_here_ && !driver_.failed() && kernel_time() < limit_ps)
    driver_.step(limit_ps - kernel_time(), true);
  return driver_.stopped_here_;
}

void SimDriver::stop_here() {
  stopped_here_ = true;
  if (stepping_) sc_core::sc_pause();
}

void SimDriver::spend_ps(std::uint64_t ps) {
  ps += owed_.exchange(0, std::memory_order_relaxed);
  if (ps == 0) return;
  const std::uint64_t end = now_ps() + ps;  // from when it came, not from when it gets its turn
  Turn turn(*this);
  turn.run_to(end);
}

/// Threads on their way that are not in a pause, or whose pause is over.
int SimDriver::awake() const {
  const std::uint64_t now = kernel_time();
  return on_their_way_.load() - static_cast<int>(std::count_if(pauses_.begin(), pauses_.end(),
                                                               [now](std::uint64_t end) { return end > now; }));
}

void SimDriver::pause_ps(std::uint64_t ps) {
  constexpr std::uint64_t kSlower = 8;
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t end = now_ps() + ps;
  Turn turn(*this);
  pauses_.push_back(end);
  while (kernel_time() < end && !failed()) {
    if (awake() <= 0) {
      turn.run_to(*std::min_element(pauses_.begin(), pauses_.end(), [now = kernel_time()](auto a, auto b) {
        return (a > now ? a : ~0ULL) < (b > now ? b : ~0ULL);
      }));
    } else if (sc_core::sc_pending_activity()) {  // what the hardware does takes its time
      const std::uint64_t left = end - kernel_time();
      step(std::min(left, std::max(options_.step_ps, to_next_event())), to_next_event() >= left);
      if (inside_.load() > 1) yield();
    } else {
      kernel_.unlock();
      if (++slow_pauses_ % 16 != 0)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      enter();
      const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - start;
      const std::uint64_t slowly = static_cast<std::uint64_t>(waited.count()) * 1000 / kSlower + 1;
      turn.run_to(std::min(end, kernel_time() + slowly));
      break;
    }
  }
  pauses_.erase(std::find(pauses_.begin(), pauses_.end(), end));
}

void SimDriver::fail(std::exception_ptr failure) {
  if (!failed_.exchange(true) && options_.on_failure) options_.on_failure(std::move(failure));
}

bool SimDriver::run_until_idle(std::uint64_t limit_ps) {
  (void)run_until([] { return !sc_core::sc_pending_activity(); }, limit_ps);
  const Turn turn(*this);
  return !failed() && !sc_core::sc_pending_activity();
}

bool SimDriver::run_until(const std::function<bool()>& done, std::uint64_t limit_ps) {
  const std::uint64_t end = now_ps() + limit_ps;
  Turn turn(*this);
  while (!done()) {
    if (failed() || !sc_core::sc_pending_activity() || kernel_time() >= end) return false;
    step(std::max(options_.step_ps, to_next_event()), false);
    if (inside_.load() > 1) yield();
  }
  return true;
}

void SimDriver::wake_thread() {
  if (!asleep_.load()) return;
  const std::lock_guard<std::mutex> guard(thread_lock_);
  if (end_) return;
  if (!thread_.joinable()) thread_ = start_without_signals([this] { drive(); });
  thread_wakes_.notify_one();
}

void SimDriver::drive() {
  constexpr unsigned kSpins = 64;  // turns without work before it sleeps: a program that polls goes on at once
  unsigned idle = 0;
  for (;;) {
    if (work_.load() && inside_.load() == 0) {
      idle = 0;
      enter();
      if (inside_.load() == 0 && !failed() && sc_core::sc_pending_activity())
        step(std::max(options_.step_ps, to_next_event()), false);
      leave();
      continue;
    }
    if (++idle < kSpins) {
      const std::lock_guard<std::mutex> guard(thread_lock_);
      if (end_) return;
      std::this_thread::yield();
      continue;
    }
    std::unique_lock<std::mutex> guard(thread_lock_);
    asleep_.store(true);
    thread_wakes_.wait(guard, [this] { return end_ || (work_.load() && inside_.load() == 0); });
    asleep_.store(false);
    if (end_) return;
    idle = 0;
  }
}

}  // namespace iommusim::hal
