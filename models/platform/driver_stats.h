// SPDX-License-Identifier: Apache-2.0
// What the driver of a device with rings did, and what its application found.
#pragma once

#include "stats/stats.h"

namespace iommusim::platform {

struct DriverStats : stats::Group {
  using stats::Group::Group;
  Counter completed{*this, "completed", Unit::kCount, "packets or commands that ended well"};
  Counter failed{*this, "failed", Unit::kCount, "packets or commands that the device or the mapping failed"};
  Counter mismatched{*this, "mismatched", Unit::kCount, "whose data was not what it should be"};
  Counter payload_bytes{*this, "payload_bytes", Unit::kBytes, "bytes of those that ended well"};
  Counter maps{*this, "maps", Unit::kCount, "mappings made for buffers"};
  Counter unmaps{*this, "unmaps", Unit::kCount, "of these, removed"};
  Counter wrong{*this, "wrong", Unit::kCount, "uses of buffers with a wrong address (driver.wrong_every)"};
  Counter interrupts{*this, "interrupts", Unit::kCount, "interrupts handled"};
  Counter polls{*this, "polls", Unit::kCount, "turns of polling loops that found nothing"};
  Counter stopped{*this, "stopped", Unit::kCount, "queues that gave up, as the device had stopped"};
  Histogram latency_ns{*this, "latency_ns", Unit::kNs,
                       "of commands, from submission to completion as software sees it"};
};

}  // namespace iommusim::platform
