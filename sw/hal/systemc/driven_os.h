// SPDX-License-Identifier: Apache-2.0
// The Os of a stack whose callers are threads of the host while its hardware is simulated (SimDriver): locks, wait
// queues and threads are the host's, time is simulated time. Who spends time or polls drives the simulation himself;
// who sleeps on a wait queue leaves that to others. A wait with a limit lets simulated time pass up to it. Threads that
// it starts block all signals: those are for the program's own.
#pragma once

#include "hal/thread_os.h"
#include "hal_systemc/sim_driver.h"

namespace iommusim::hal {

class DrivenOs final : public Os {
 public:
  /// `relax_ns`: one turn of a polling loop, at least 1. Without a sink, log lines go to standard error.
  DrivenOs(SimDriver& driver, std::uint64_t relax_ns, ThreadOs::LogSink sink = {});

  std::unique_ptr<Mutex> make_mutex() override { return host_.make_mutex(); }
  std::unique_ptr<RwLock> make_rwlock() override { return host_.make_rwlock(); }
  std::unique_ptr<WaitQueue> make_wait_queue() override;
  std::uint64_t now_ns() override { return driver_.now_ps() / 1000; }
  /// A pause: shorter while another thread of the software is on its way and the hardware is idle.
  void sleep_ns(std::uint64_t ns) override { driver_.pause_ps(ns * 1000); }
  void relax() override { sleep_ns(relax_ns_); }
  void spend_ns(std::uint64_t ns) override { driver_.spend_ps(ns * 1000); }
  void start_thread(const std::string& name, std::function<void()> body) override;
  void log(const std::string& line) override;

 private:
  SimDriver& driver_;
  const std::uint64_t relax_ns_;
  ThreadOs host_;
};

}  // namespace iommusim::hal
