// SPDX-License-Identifier: Apache-2.0
// What a trace replay counts: lines of the trace by what became of them.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

struct TraceReplayStats : stats::Group {
  using stats::Group::Group;
  Counter reads{*this, "reads", Unit::kCount, "R and X lines that became DMA"};
  Counter writes{*this, "writes", Unit::kCount, "W lines that became DMA"};
  Counter maps{*this, "maps", Unit::kCount, "M lines given to software"};
  Counter unmaps{*this, "unmaps", Unit::kCount, "U lines given to software"};
  Counter invalidations{*this, "invalidations", Unit::kCount,
                        "I lines passed over, or given to software (replay.invalidations)"};
  Counter unmapped{*this, "unmapped", Unit::kCount, "accesses that no M line covered, done nevertheless"};
  Counter skipped{*this, "skipped", Unit::kCount, "accesses that no M line covered, left out"};
  Counter completed{*this, "completed", Unit::kCount, "accesses answered with success"};
  Counter failed{*this, "failed", Unit::kCount, "accesses answered with an error"};
  Counter software_ps{*this, "software_ps", Unit::kPs, "time for which the replay waited for software"};
  Occupancy in_flight{*this, "in_flight", Unit::kPs, "accesses under way, all sources"};
  Identity sum{*this, "reads + writes + in flight at the start = completed + failed + in flight at the end",
               [this] { return reads.value() + writes.value() + in_flight.data().level_at_start(); },
               [this] { return completed.value() + failed.value() + in_flight.level(); }};
};

}  // namespace iommusim::devices
