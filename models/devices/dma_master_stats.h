// SPDX-License-Identifier: Apache-2.0
// What a device's DMA counts: per DMA as the device asked for it, not per part on the bus.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

struct DmaMasterStats : stats::Group {
  using stats::Group::Group;
  Counter issued{*this, "issued", Unit::kCount, "DMAs begun"};
  Counter parts{*this, "parts", Unit::kCount, "transactions sent for them"};
  Counter completed{*this, "completed", Unit::kCount, "DMAs that ended with success"};
  Counter failed{*this, "failed", Unit::kCount, "DMAs of which a part was refused or aborted"};
  Counter refused{*this, "refused", Unit::kCount, "attempts that found no transaction free"};
  Counter bytes_read{*this, "bytes_read", Unit::kBytes, "bytes of successful reads of memory"};
  Counter bytes_written{*this, "bytes_written", Unit::kBytes, "bytes of successful writes to memory"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs, "begin of a DMA to the answer of its last part"};
  Occupancy in_flight{*this, "in_flight", Unit::kPs, "DMAs under way"};
  Identity sum{*this, "issued + in flight at the start = completed + failed + in flight at the end",
               [this] { return issued.value() + in_flight.data().level_at_start(); },
               [this] { return completed.value() + failed.value() + in_flight.level(); }};
};

}  // namespace iommusim::devices
