// SPDX-License-Identifier: Apache-2.0
// The Os on plain host threads: for unit tests, ThreadSanitizer runs, and programs that use the stack without a
// simulation. Time is the host's monotonic clock; spend_ns costs nothing. Its end joins all threads that it started.
#pragma once

#include <mutex>
#include <thread>
#include <vector>

#include "hal/os.h"

namespace iommusim::hal {

class ThreadOs final : public Os {
 public:
  using LogSink = std::function<void(const std::string&)>;

  /// Without a sink, log lines go to standard error. The sink is called by one thread at a time.
  explicit ThreadOs(LogSink sink = {});
  ~ThreadOs() override;

  std::unique_ptr<Mutex> make_mutex() override;
  std::unique_ptr<RwLock> make_rwlock() override;
  std::unique_ptr<WaitQueue> make_wait_queue() override;
  std::uint64_t now_ns() override;
  void sleep_ns(std::uint64_t ns) override;
  void relax() override;
  void spend_ns(std::uint64_t) override {}
  void start_thread(const std::string& name, std::function<void()> body) override;
  void log(const std::string& line) override;

 private:
  LogSink sink_;
  std::mutex log_lock_;
  std::mutex threads_lock_;
  std::vector<std::thread> threads_;  // guarded by threads_lock_
};

}  // namespace iommusim::hal
