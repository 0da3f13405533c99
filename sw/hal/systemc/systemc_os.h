// SPDX-License-Identifier: Apache-2.0
// The Os on SystemC: every thread of the software is an SC_THREAD, locks and queues are events, time is simulated time.
// SystemC switches threads only where one waits, so plain members need no lock of the host. Locks are handed over in
// the order of asking, within the same instant. A lock that is free may be taken outside of a process (before and after
// the simulation); one that is not is an error of SystemC there.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <systemc>

#include "hal/os.h"

namespace iommusim::hal {

struct SystemcOsParams {
  std::uint64_t relax_ns = 20;           ///< one turn of a polling loop
  std::size_t stack_bytes = 512 * 1024;  ///< of each thread
  /// Gets the exception that left a thread's body. Empty: SystemC reports it, without its type.
  std::function<void(std::exception_ptr)> on_failure;
};

class SystemcOs final : public Os {
 public:
  using LogSink = std::function<void(const std::string&)>;

  /// Without a sink, log lines go to standard error, with the simulated time in front.
  explicit SystemcOs(const SystemcOsParams& params = {}, LogSink sink = {});

  std::unique_ptr<Mutex> make_mutex() override;
  std::unique_ptr<RwLock> make_rwlock() override;
  std::unique_ptr<WaitQueue> make_wait_queue() override;
  std::uint64_t now_ns() override;
  void sleep_ns(std::uint64_t ns) override;
  void relax() override { sleep_ns(params_.relax_ns); }
  void spend_ns(std::uint64_t ns) override { sleep_ns(ns); }
  /// Before or during the simulation. The thread's objects must live until the simulation ends, or the body.
  void start_thread(const std::string& name, std::function<void()> body) override;
  void log(const std::string& line) override;

 private:
  const SystemcOsParams params_;
  LogSink sink_;
};

/// Let simulated time pass for the calling SC_THREAD; nothing elsewhere.
void systemc_wait(const sc_core::sc_time& time);
void systemc_wait_ns(std::uint64_t ns);

}  // namespace iommusim::hal
