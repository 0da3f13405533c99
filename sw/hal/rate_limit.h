// SPDX-License-Identifier: Apache-2.0
// Decides which of many like events are worth a log line: at most `burst` in each interval. Not thread-safe by itself.
#pragma once

#include <cstdint>

namespace iommusim::hal {

class RateLimit {
 public:
  explicit RateLimit(std::uint64_t interval_ns = 5000000000ULL, std::uint32_t burst = 10)
      : interval_ns_(interval_ns), burst_(burst) {}

  bool allow(std::uint64_t now_ns) {
    if (!started_ || now_ns - interval_start_ >= interval_ns_) {
      started_ = true;
      interval_start_ = now_ns;
      allowed_ = 0;
    }
    if (allowed_ == burst_) {
      ++suppressed_;
      return false;
    }
    ++allowed_;
    return true;
  }
  std::uint64_t suppressed() const { return suppressed_; }

 private:
  std::uint64_t interval_ns_;
  std::uint32_t burst_;
  bool started_ = false;
  std::uint64_t interval_start_ = 0;
  std::uint32_t allowed_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace iommusim::hal
