// SPDX-License-Identifier: Apache-2.0
// The DMA engine's parameters, and what it counts.
#pragma once

#include <string>

#include "params/describe.h"
#include "stats/stats.h"

namespace iommusim::devices {

struct DmaEngineParams {
  std::string bdf = "00:05.0";
  std::uint32_t channels = 4;
  std::uint32_t fetch_batch = 8;
  std::uint32_t chunk_bytes = 4096;
  std::uint32_t chunks = 4;
  std::uint64_t register_ns = 100;
  std::uint64_t doorbell_ns = 200;
  std::uint32_t outstanding = 64;
  std::uint32_t split_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = DmaEngineParams;
    v("bdf", &P::bdf, "PCI address of the device, bb:dd.f");
    v("channels", &P::channels, Unit::kCount, Range{1, 64}, "channels, each with a ring and an interrupt of its own");
    v("fetch_batch", &P::fetch_batch, Unit::kCount, Range{1, 256}, "descriptors read at once, at most");
    v("chunk_bytes", &P::chunk_bytes, Unit::kBytes, Range{64, 1 << 20}, "read, then written, in one piece");
    v("chunks", &P::chunks, Unit::kCount, Range{1, 256}, "pieces of a descriptor that a channel has under way");
    v("register_ns", &P::register_ns, Unit::kNs, Range{0, 1'000'000}, "read of a register");
    v("doorbell_ns", &P::doorbell_ns, Unit::kNs, Range{0, 1'000'000}, "write of a tail to its effect");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }
};

struct DmaEngineStats : stats::Group {
  using stats::Group::Group;
  Counter fetches{*this, "fetches", Unit::kCount, "reads of descriptors, of one or more at a time"};
  Counter copies{*this, "copies", Unit::kCount, "copies that ended well"};
  Counter fills{*this, "fills", Unit::kCount, "fills that ended well"};
  Counter failed{*this, "failed", Unit::kCount, "descriptors that ended with an error"};
  Counter bytes{*this, "bytes", Unit::kBytes, "written by copies and fills that ended well"};
  Counter doorbells{*this, "doorbells", Unit::kCount, "writes of tails"};
  Counter interrupts{*this, "interrupts", Unit::kCount, "interrupts"};
  Counter broken{*this, "broken", Unit::kCount, "channels that stopped because their ring was out of reach"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs, "of a descriptor, from its begin to its status in memory"};
};

}  // namespace iommusim::devices
