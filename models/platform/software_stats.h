// SPDX-License-Identifier: Apache-2.0
// What software did and how long it took, in simulated time.
#pragma once

#include <deque>
#include <map>

#include "stats/stats.h"

namespace iommusim::platform {

/// One kind of ioctl.
struct IoctlStats : stats::Group {
  using stats::Group::Group;
  Counter calls{*this, "calls", Unit::kCount, "calls"};
  Counter errors{*this, "errors", Unit::kCount, "calls that returned an error"};
  Histogram time_ns{*this, "time_ns", Unit::kNs, "from entry to return"};
};

struct SoftwareStats : stats::Group {
  SoftwareStats(stats::Group& parent, const std::string& name);
  IoctlStats& of(std::uint32_t command) { return *by_command_.at(command); }

  Counter boot_ns{*this, "boot_ns", Unit::kNs, "probe of the IOMMU: directory, queues, first invalidations"};
  Counter shutdown_ns{*this, "shutdown_ns", Unit::kNs, "from the last close to the IOMMU off"};
  Counter fault_records{*this, "fault_records", Unit::kCount, "fault records that the driver drained"};

 private:
  std::deque<IoctlStats> ioctls_;
  std::map<std::uint32_t, IoctlStats*> by_command_;
};

}  // namespace iommusim::platform
