// SPDX-License-Identifier: Apache-2.0
// What a memory counts, by port and in all. Accesses through b_transport count as requests of no duration; debug
// accesses count nowhere.
#pragma once

#include "stats/stats.h"

namespace iommusim::bus {

struct MemoryPortStats : stats::Group {
  using stats::Group::Group;
  Counter requests{*this, "requests", Unit::kCount, "accesses that began (BEGIN_REQ or b_transport)"};
  Counter reads{*this, "reads", Unit::kCount, "reads performed"};
  Counter writes{*this, "writes", Unit::kCount, "writes performed"};
  Counter atomics{*this, "atomics", Unit::kCount, "compare-and-swaps performed"};
  Counter errors{*this, "errors", Unit::kCount, "accesses answered with an error"};
  Counter bytes_read{*this, "bytes_read", Unit::kBytes, "bytes of reads"};
  Counter bytes_written{*this, "bytes_written", Unit::kBytes, "bytes of writes"};
  Counter stalls{*this, "stalls", Unit::kCount, "requests that found the queue full"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs, "BEGIN_REQ to BEGIN_RESP"};
};

struct MemoryStats : stats::Group {
  using stats::Group::Group;
  Counter requests{*this, "requests", Unit::kCount, "accesses that began, all ports"};
  Counter answered{*this, "answered", Unit::kCount, "accesses whose response was taken, all ports"};
  Occupancy in_flight{*this, "in_flight", Unit::kPs, "accesses from BEGIN_REQ to END_RESP"};
  Identity sum{*this, "requests + in flight at the start = answered + in flight at the end",
               [this] { return requests.value() + in_flight.data().level_at_start(); },
               [this] { return answered.value() + in_flight.level(); }};
};

}  // namespace iommusim::bus
