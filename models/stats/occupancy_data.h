// SPDX-License-Identifier: Apache-2.0
// A level over time: its integral, its highest value, the time spent at a limit. Time is in the unit of the owner's
// choice and never goes back. The integral up to now equals the sum of residence times of what came and went, with what
// is still inside cut at now.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "stats/histogram_data.h"

namespace iommusim::stats {

class OccupancyData {
 public:
  /// `limit` 0: there is none.
  explicit OccupancyData(std::uint64_t limit = 0) : limit_(limit) {}

  /// The level is `level` from `now` on.
  void set(std::uint64_t now, std::uint64_t level) {
    advance(now);
    level_ = level;
    max_ = level > max_ ? level : max_;
  }
  void enter(std::uint64_t now) { set(now, level_ + 1); }
  void leave(std::uint64_t now) {
    base::ensure(level_ != 0, "an occupancy went below zero");
    set(now, level_ - 1);
  }
  /// Accounts for the time up to `now`.
  void advance(std::uint64_t now) {
    base::ensure(now >= now_, "time went back in an occupancy");
    const std::uint64_t passed = now - now_;
    integral_ += level_ * passed;
    if (levels_ != nullptr && passed != 0) levels_->add(level_, passed);
    if (limit_ != 0 && level_ >= limit_) at_limit_ += passed;
    now_ = now;
  }
  void set_limit(std::uint64_t limit) { limit_ = limit; }
  /// The time that passes from now on is counted by level there. It must live as long.
  void keep_levels(HistogramData* levels) { levels_ = levels; }
  /// A new window from the time last told; the level stays.
  void restart();
  /// What happened since `earlier`, an older copy. The maximum stays that of the whole window.
  void subtract(const OccupancyData& earlier);

  std::uint64_t level() const { return level_; }
  std::uint64_t level_at_start() const { return level_at_start_; }  ///< when the window began
  std::uint64_t max() const { return max_; }
  std::uint64_t limit() const { return limit_; }
  std::uint64_t time_at_limit() const { return at_limit_; }
  std::uint64_t integral() const { return integral_; }
  std::uint64_t start() const { return start_; }        ///< when the window began
  std::uint64_t now() const { return now_; }            ///< the time last told
  std::uint64_t time() const { return now_ - start_; }  ///< length of the window so far
  double average() const { return time() == 0 ? 0.0 : static_cast<double>(integral_) / static_cast<double>(time()); }

 private:
  std::uint64_t limit_;
  std::uint64_t start_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t level_ = 0;
  std::uint64_t level_at_start_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t integral_ = 0;
  std::uint64_t at_limit_ = 0;
  HistogramData* levels_ = nullptr;
};

}  // namespace iommusim::stats
