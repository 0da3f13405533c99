// SPDX-License-Identifier: Apache-2.0
// A small tree with a statistic of every kind, for the tests of stats.
#pragma once

#include "stats/stats.h"

namespace iommusim::stats::example {

struct Iotlb : Group {
  using Group::Group;
  Counter lookups{*this, "lookups", Unit::kCount, "probes"};
  Counter hits{*this, "hits", Unit::kCount, "probes that matched"};
  Derived misses{*this, "misses", Unit::kCount, "probes that did not match",
                 [this] { return lookups.value() - hits.value(); }};
  Ratio hit_rate{*this, "hit_rate", hits, lookups, "hits / lookups"};
  Histogram wait{*this, "wait_cycles", Unit::kCycle, "probe to response"};
};

struct Iommu : Group {
  using Group::Group;
  Counter accepted{*this, "accepted", Unit::kCount, "requests taken"};
  Iotlb iotlb{*this, "iotlb"};
  Occupancy in_flight{*this, "in_flight", Unit::kCount, "requests inside", 2};
  Counter completed{*this, "completed", Unit::kCount, "requests answered"};
  Identity flow{*this, "accepted + inside at the start = completed + inside",
                [this] { return accepted.value() + in_flight.data().level_at_start(); },
                [this] { return completed.value() + in_flight.level(); }};
};

}  // namespace iommusim::stats::example
