// SPDX-License-Identifier: Apache-2.0
// What a bus of links counts: in all and by port as any bus (dma_bus_stats.h), and by link.
#pragma once

#include "tlm/dma_bus_stats.h"

namespace iommusim::bus {

struct LinkStats : stats::Group {
  using stats::Group::Group;
  Counter packets_up{*this, "packets_up", Unit::kCount, "TLPs or bursts sent towards the IOMMU"};
  Counter packets_down{*this, "packets_down", Unit::kCount, "TLPs or bursts sent towards the device"};
  Counter up_busy_ps{*this, "up_busy_ps", Unit::kPs, "time for which packets took the upstream link"};
  Counter down_busy_ps{*this, "down_busy_ps", Unit::kPs, "time for which packets took the downstream link"};
  Counter tag_waits{*this, "tag_waits", Unit::kCount, "read requests that waited for a tag"};
  Counter credit_waits{*this, "credit_waits", Unit::kCount, "packets that waited for credits of the upper end"};
};

}  // namespace iommusim::bus
