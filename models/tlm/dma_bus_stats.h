// SPDX-License-Identifier: Apache-2.0
// What the DMA bus counts, by port and in all. A b_transport counts as a request of no duration.
#pragma once

#include "stats/stats.h"

namespace iommusim::bus {

struct DmaBusPortStats : stats::Group {
  using stats::Group::Group;
  Counter requests{*this, "requests", Unit::kCount, "transactions that began"};
  Counter retries{*this, "retries", Unit::kCount, "packets to the IOMMU that were sent twice (injected)"};
  Counter stalls{*this, "stalls", Unit::kCount, "requests that found the queue full"};
  Counter bytes_up{*this, "bytes_up", Unit::kBytes, "header and write data sent towards the IOMMU"};
  Counter bytes_down{*this, "bytes_down", Unit::kBytes, "header and read data sent to the device"};
};

struct DmaBusStats : stats::Group {
  using stats::Group::Group;
  Counter requests{*this, "requests", Unit::kCount, "transactions that began, all ports"};
  Counter answered{*this, "answered", Unit::kCount, "transactions whose answer a device took, all ports"};
  Counter forwarded{*this, "forwarded", Unit::kCount, "requests handed to the IOMMU"};
  Counter held{*this, "held", Unit::kCount, "arrivals that waited because the IOMMU had not accepted the one before"};
  Counter messages_down{*this, "messages_down", Unit::kCount, "messages of the IOMMU that a device took"};
  Counter down_busy_ps{*this, "down_busy_ps", Unit::kPs, "time for which answers took the downstream link"};
  Counter up_busy_ps{*this, "up_busy_ps", Unit::kPs, "time for which requests took the upstream link"};
  Occupancy in_flight{*this, "in_flight", Unit::kPs, "transactions from BEGIN_REQ to END_RESP"};
  Identity sum{*this, "requests + in flight at the start = answered + in flight at the end",
               [this] { return requests.value() + in_flight.data().level_at_start(); },
               [this] { return answered.value() + in_flight.level(); }};
};

}  // namespace iommusim::bus
