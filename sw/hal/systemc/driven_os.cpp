// SPDX-License-Identifier: Apache-2.0
#include "hal_systemc/driven_os.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

/// A wake is counted, so that one that comes while the waiter drives is seen.
class DrivenWaitQueue final : public WaitQueue {
 public:
  DrivenWaitQueue(SimDriver& driver, std::unique_ptr<WaitQueue> host) : driver_(driver), host_(std::move(host)) {}

  void wait(Mutex& mutex) override {
    const SimDriver::Sleep sleep(driver_);
    host_->wait(mutex);
  }
  bool wait_for(Mutex& mutex, std::uint64_t ns) override {
    constexpr std::uint64_t kHostNs = 1'000'000;  // for threads of the program, which simulated time knows nothing of
    const std::uint64_t before = wakes_.load();
    const std::uint64_t end = driver_.now_ps() + ns * 1000;
    const SimDriver::Sleep sleep(driver_);
    while (driver_.now_ps() < end && !driver_.failed()) {
      if (host_->wait_for(mutex, kHostNs) || wakes_.load() != before) return true;
      mutex.unlock();
      // A sixteenth at a time: what another thread does for a millisecond is not missed by much.
      driver_.spend_ps(std::min(end - std::min(end, driver_.now_ps()), std::max<std::uint64_t>(ns * 1000 / 16, 1000)));
      mutex.lock();
      if (wakes_.load() != before) return true;
    }
    return false;
  }
  void wake_all() override {
    wakes_.fetch_add(1);
    host_->wake_all();
  }

 private:
  SimDriver& driver_;
  std::unique_ptr<WaitQueue> host_;
  std::atomic<std::uint64_t> wakes_{0};
};

}  // namespace

DrivenOs::DrivenOs(SimDriver& driver, std::uint64_t relax_ns, ThreadOs::LogSink sink)
    : driver_(driver), relax_ns_(relax_ns), host_(std::move(sink)) {
  ensure(relax_ns != 0, "a polling loop must let time pass");
}

std::unique_ptr<WaitQueue> DrivenOs::make_wait_queue() {
  return std::make_unique<DrivenWaitQueue>(driver_, host_.make_wait_queue());
}

void DrivenOs::start_thread(const std::string& name, std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  host_.start_thread(name, [this, body = std::move(body)] {
    const SimDriver::Call call(driver_);
    try {
      body();
    } catch (...) {
      driver_.fail(std::current_exception());
    }
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void DrivenOs::log(const std::string& line) {
  char time[40];
  std::snprintf(time, sizeof time, "%llu ns: ", static_cast<unsigned long long>(now_ns()));
  host_.log(time + line);
}

}  // namespace iommusim::hal
