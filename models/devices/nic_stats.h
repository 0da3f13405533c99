// SPDX-License-Identifier: Apache-2.0
// What a NIC counts: packets by how they ended, descriptors, and time.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

/// One direction of a NIC.
struct NicDirectionStats : stats::Group {
  using stats::Group::Group;
  Counter packets{*this, "packets", Unit::kCount, "packets that ended well"};
  Counter failed{*this, "failed", Unit::kCount, "packets whose DMA failed"};
  Counter payload_bytes{*this, "payload_bytes", Unit::kBytes, "bytes of the packets that ended well"};
  Counter fetches{*this, "fetches", Unit::kCount, "reads of descriptors, of one or more at a time"};
  Counter descriptors{*this, "descriptors", Unit::kCount, "descriptors that were read"};
  Counter write_backs{*this, "write_backs", Unit::kCount, "descriptors that were written back"};
  Counter ring_errors{*this, "ring_errors", Unit::kCount, "rings that stopped, as a descriptor was out of reach"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs,
                       "of a packet, from its arrival (receiving) or its first read (sending) to its descriptors' "
                       "write-back"};
  Derived active_ps{*this, "active_ps", Unit::kPs, "from the begin of the first packet to the end of the last",
                    [this] { return last_end > first_begin ? last_end - first_begin : 0; }};
  Ratio goodput_gbps{*this, "goodput_gbps", [this] { return payload_bytes.value() * 8000; },
                     [this] { return active_ps.value(); }, "payload in Gb/s while active"};

  std::uint64_t first_begin = ~0ULL, last_end = 0;
};

struct NicStats : stats::Group {
  using stats::Group::Group;
  NicDirectionStats receive{*this, "receive"};
  NicDirectionStats transmit{*this, "transmit"};
  Counter arrived{*this, "arrived", Unit::kCount, "packets that came from the wire"};
  Counter dropped{*this, "dropped", Unit::kCount, "of these, the ones that found no room"};
  Counter mismatched{*this, "mismatched", Unit::kCount, "packets sent whose data was not what it should be"};
  Counter doorbells{*this, "doorbells", Unit::kCount, "writes of a tail"};
  Counter interrupts{*this, "interrupts", Unit::kCount, "interrupts"};
  Occupancy waiting{*this, "waiting", Unit::kPs, "packets that came and whose descriptors are not written back yet"};
  Identity sum{*this, "arrived + waiting at the start = received + failed + dropped + waiting at the end",
               [this] { return arrived.value() + waiting.data().level_at_start(); },
               [this] { return receive.packets.value() + receive.failed.value() + dropped.value() + waiting.level(); }};
};

}  // namespace iommusim::devices
