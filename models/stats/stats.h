// SPDX-License-Identifier: Apache-2.0
// All that a component needs to declare its statistics:
//   struct IotlbStats : stats::Group {
//     using stats::Group::Group;
//     Counter lookups{*this, "lookups", Unit::kCount, "probes"};
//     Ratio hit_rate{*this, "hit_rate", hits, lookups, "hits / lookups"};
//     Identity sum{*this, "lookups = hits + misses", [this] { return lookups.value(); }, [this] { ... }};
//   };
#pragma once

#include "stats/statistic.h"
