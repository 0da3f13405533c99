// SPDX-License-Identifier: Apache-2.0
// The operating system on SystemC threads: locks and queues let other threads run, waiting lets simulated time pass.
// SystemC runs one thread at a time and switches only where one waits, so the state of a lock is plain data. Every call
// but now_ns(), log() and wakes must come from a SystemC thread.
#pragma once

#include <systemc>

#include "hal/os.h"

namespace iommusim::hal {

struct SystemcOsParams {
  std::uint64_t relax_ns = 100;  ///< simulated time of one turn of a polling loop
};

class SystemcOs final : public Os {
 public:
  explicit SystemcOs(const SystemcOsParams& params) : params_(params) {}

  std::unique_ptr<Mutex> make_mutex() override;
  std::unique_ptr<RwLock> make_rwlock() override;
  std::unique_ptr<WaitQueue> make_wait_queue() override;
  std::uint64_t now_ns() override;
  void sleep_ns(std::uint64_t ns) override;
  void relax() override { sleep_ns(params_.relax_ns); }
  void spend_ns(std::uint64_t ns) override {
    if (ns != 0) sleep_ns(ns);
  }
  /// Also before the simulation starts.
  void start_thread(const std::string& name, std::function<void()> body) override;
  /// To standard error, with the simulated time.
  void log(const std::string& line) override;

 private:
  SystemcOsParams params_;
};

}  // namespace iommusim::hal
