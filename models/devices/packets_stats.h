// SPDX-License-Identifier: Apache-2.0
// What a packet device counts: per packet.
#pragma once

#include "stats/stats.h"

namespace iommusim::devices {

struct PacketsStats : stats::Group {
  using stats::Group::Group;
  Counter offered{*this, "offered", Unit::kCount, "arrivals"};
  Counter accepted{*this, "accepted", Unit::kCount, "packets that found a place in the translation queue"};
  Counter dropped{*this, "dropped", Unit::kCount, "arrivals that found none"};
  Counter bytes{*this, "bytes", Unit::kBytes, "data of accepted packets"};
  Counter translated{*this, "translated", Unit::kCount, "packets that left the translation queue"};
  Occupancy waiting{*this, "waiting", Unit::kPs, "packets in the translation queue"};
  Histogram translation_ps{*this, "translation_ps", Unit::kPs, "from the arrival of a packet to its last translation"};
  Identity arrivals{*this, "offered = accepted + dropped", [this] { return offered.value(); },
                    [this] { return accepted.value() + dropped.value(); }};
  Identity queue{*this, "accepted + waiting at start = translated + waiting",
                 [this] { return accepted.value() + waiting.data().level_at_start(); },
                 [this] { return translated.value() + waiting.level(); }};
};

}  // namespace iommusim::devices
