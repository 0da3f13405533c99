// SPDX-License-Identifier: Apache-2.0
// The NIC's parameters: its hardware and the packets on its wire.
#pragma once

#include <string>

#include "params/describe.h"

namespace iommusim::devices {

struct NicParams {
  std::string bdf = "00:02.0";
  std::uint32_t queues = 1;
  std::uint32_t packet_bytes = 1500;
  std::uint64_t receive_packets = 10'000;
  std::uint64_t transmit_packets = 0;
  std::uint32_t rate_gbps = 0;
  std::uint32_t overhead_bytes = 20;
  std::uint32_t fifo_packets = 64;
  std::uint32_t window_packets = 32;
  std::uint32_t fetch_batch = 8;
  std::uint64_t register_ns = 100;
  std::uint64_t doorbell_ns = 200;
  std::uint64_t interrupt_ns = 0;
  std::uint32_t outstanding = 32;
  std::uint32_t split_bytes = 256;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = NicParams;
    v("bdf", &P::bdf, "PCI address of the device, bb:dd.f");
    v("queues", &P::queues, Unit::kCount, Range{1, 1024}, "pairs of rings, each a flow with a thread of the driver");
    v("packet_bytes", &P::packet_bytes, Unit::kBytes, Range{16, 65536}, "length of each packet");
    v("receive_packets", &P::receive_packets, Unit::kCount, Range{0, ~0ULL}, "that arrive, over the queues in turn");
    v("transmit_packets", &P::transmit_packets, Unit::kCount, Range{0, ~0ULL},
      "that are sent, over the queues in turn");
    v("rate_gbps", &P::rate_gbps, Unit::kCount, Range{0, 10'000},
      "Gb/s of the wire, each direction; 0: packets arrive as fast as they are taken, and none is dropped");
    v("overhead_bytes", &P::overhead_bytes, Unit::kBytes, Range{0, 4096}, "of each packet on the wire, beside its own");
    v("fifo_packets", &P::fifo_packets, Unit::kCount, Range{1, 1 << 20},
      "of a queue that wait for descriptors; one that arrives when it is full is dropped");
    v("window_packets", &P::window_packets, Unit::kCount, Range{1, 1 << 16}, "of a ring whose data is under way");
    v("fetch_batch", &P::fetch_batch, Unit::kCount, Range{1, 256}, "descriptors read at once, at most");
    v("register_ns", &P::register_ns, Unit::kNs, Range{0, 1'000'000}, "read of a register");
    v("doorbell_ns", &P::doorbell_ns, Unit::kNs, Range{0, 1'000'000}, "write of a tail to its effect");
    v("interrupt_ns", &P::interrupt_ns, Unit::kNs, Range{0, 1'000'000'000},
      "moderation: least time from one interrupt of a queue to its next");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }
};

}  // namespace iommusim::devices
