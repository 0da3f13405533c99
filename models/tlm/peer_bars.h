// SPDX-License-Identifier: Apache-2.0
// Memory of devices that the system can reach: windows of system-physical addresses (PCIe base address registers), each
// with contents of its own, and the one setting of the host bridge whether DMA of others gets there. Windows do not
// overlap, with each other or with system memory (platform/peer_to_peer.cpp checks).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "params/describe.h"
#include "stats/stats.h"
#include "tlm/sparse_store.h"
#include "tlm/systemc.h"

namespace iommusim::bus {

struct PeerBarParams {
  std::uint64_t bytes = 0;
  std::uint64_t first = 1ULL << 44;
  std::uint64_t latency_ns = 300;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = PeerBarParams;
    v("bytes", &P::bytes, Unit::kBytes, Range{0, 1ULL << 48}, "a power of two, at least 4 KiB; 0: it has none");
    v("first", &P::first, Unit::kBytes, Range{0, 1ULL << 56},
      "system-physical address, a multiple of bytes, behind system memory");
    v("latency_ns", &P::latency_ns, Unit::kNs, Range{0, 1'000'000}, "DMA of a peer at the host bridge to its answer");
  }
};

struct PeerBarStats : stats::Group {
  using stats::Group::Group;
  Counter routed{*this, "routed", Unit::kCount, "accesses of peers served"};
  Counter refused{*this, "refused", Unit::kCount, "accesses of peers that the host bridge refused"};
  Counter errors{*this, "errors", Unit::kCount, "accesses of peers beyond its end, or of a form it does not take"};
  Counter bytes_read{*this, "bytes_read", Unit::kBytes, "bytes that peers read"};
  Counter bytes_written{*this, "bytes_written", Unit::kBytes, "bytes that peers wrote"};
};

class PeerBars {
 public:
  class Bar {
   public:
    Bar(const std::string& device, const PeerBarParams& params, stats::Group& parent);
    const PeerBarStats& statistics() const { return stats_; }

   private:
    friend class PeerBars;
    std::uint64_t first_, bytes_;
    Picoseconds latency_;
    SparseStore store_;
    PeerBarStats stats_;
  };

  PeerBars(bool routed, stats::Group& parent) : routed_(routed), stats_(parent, "peer_to_peer") {}

  Bar& add(const std::string& device, const PeerBarParams& params);
  /// The window that has one of these bytes; nullptr: none.
  Bar* at(std::uint64_t address, std::uint64_t bytes);

  // Of an access that touches the window:
  /// Until its answer. Model: a refusal takes no time of its own, and a window has no limit of bandwidth.
  Picoseconds latency(const Bar& bar) const { return routed_ ? bar.latency_ : 0; }
  /// Has its effect, sets its response and counts it.
  void perform(Bar& bar, Payload& payload) const;
  /// transport_dbg: the effect alone. Bytes done.
  unsigned debug(Bar& bar, Payload& payload) const;

 private:
  struct Totals : stats::Group {
    using stats::Group::Group;
  };
  static bool inside(const Bar& bar, const Payload& payload);
  static void touch(Bar& bar, Payload& payload);

  bool routed_;
  Totals stats_;
  std::vector<std::unique_ptr<Bar>> bars_;
};

}  // namespace iommusim::bus
