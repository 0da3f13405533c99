// SPDX-License-Identifier: Apache-2.0
// What single devices asked for: the first devices that come have a group each, all others share the last one, so that
// memory does not grow with the number of devices. Every request that ends is counted in exactly one of them.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/types.h"
#include "stats/stats.h"

namespace iommusim::timing {

struct DeviceStats : stats::Group {
  DeviceStats(stats::Group& parent, const std::string& name) : stats::Group(parent, name) {}
  Counter ended{*this, "ended", Unit::kCount, "requests answered"};
  Counter faulted{*this, "faulted", Unit::kCount, "of these, with an error"};
  Counter hits{*this, "hits", Unit::kCount, "requests that needed no walk"};
  Counter misses{*this, "misses", Unit::kCount, "requests that missed the IOTLB or a directory cache"};
  Histogram latency{*this, "latency", Unit::kCycle, "from acceptance to the end of the translation"};
  Identity outcomes{*this, "ended = hits + misses", [this] { return ended.value(); },
                    [this] { return hits.value() + misses.value(); }};
};

class DeviceStatistics {
 public:
  /// `devices` 0: nothing is counted.
  DeviceStatistics(std::uint32_t devices, stats::Group& parent);

  bool on() const { return !groups_.empty(); }
  void count(base::DeviceId device, bool faulted, bool missed, std::uint64_t latency);

 private:
  std::size_t group_of(base::DeviceId device);

  std::unique_ptr<stats::Group> parent_;
  std::deque<DeviceStats> groups_;  // the last one for those who came late
  std::vector<std::unique_ptr<stats::Derived>> ids_;
  std::vector<std::uint64_t> devices_;
  std::unordered_map<std::uint32_t, std::size_t> numbers_;
};

}  // namespace iommusim::timing
