// SPDX-License-Identifier: Apache-2.0
// What an NVMe controller counts: commands by how they ended, queue traffic, and time.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

struct NvmeStats : stats::Group {
  using stats::Group::Group;
  Counter fetches{*this, "fetches", Unit::kCount, "reads of commands, of one or more at a time"};
  Counter commands{*this, "commands", Unit::kCount, "commands that were read, those of the admin queue too"};
  Counter admin{*this, "admin", Unit::kCount, "commands of the admin queue, and flushes, that ended well"};
  Counter reads{*this, "reads", Unit::kCount, "read commands that ended well"};
  Counter writes{*this, "writes", Unit::kCount, "write commands that ended well"};
  Counter failed{*this, "failed", Unit::kCount, "commands that ended with an error"};
  Counter payload_bytes{*this, "payload_bytes", Unit::kBytes, "data of the reads and writes that ended well"};
  Counter changed{*this, "changed", Unit::kCount, "blocks written with other data than an untouched block holds"};
  Counter list_reads{*this, "list_reads", Unit::kCount, "PRP lists that were read"};
  Counter doorbells{*this, "doorbells", Unit::kCount, "writes of doorbells"};
  Counter interrupts{*this, "interrupts", Unit::kCount, "interrupts"};
  Occupancy under_way{*this, "under_way", Unit::kPs, "commands from their fetch to their completion"};
  Occupancy medium{*this, "medium", Unit::kPs, "commands that the medium serves"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs, "of a command, from its fetch to its completion in memory"};
  Derived active_ps{*this, "active_ps", Unit::kPs, "from the first command of an I/O queue to the last completion",
                    [this] { return last_end > first_begin ? last_end - first_begin : 0; }};
  Ratio goodput_gbps{*this, "goodput_gbps", [this] { return payload_bytes.value() * 8000; },
                     [this] { return active_ps.value(); }, "payload in Gb/s while active"};
  Identity sum{*this, "commands + under way at the start = admin + reads + writes + failed + under way at the end",
               [this] { return commands.value() + under_way.data().level_at_start(); },
               [this] { return admin.value() + reads.value() + writes.value() + failed.value() + under_way.level(); }};

  std::uint64_t first_begin = ~0ULL, last_end = 0;
};

}  // namespace iommusim::devices
