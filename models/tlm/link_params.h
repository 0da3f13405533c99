// SPDX-License-Identifier: Apache-2.0
// Parameters of one link of a bus of links: a PCIe link (generation, width, sizes and numbers of packets) or an
// AXI-like port of an on-chip device. Accounting: raw rate = lanes x transfers/s x coding. Of it `dllp_overhead_ppm` is
// not for TLPs (acknowledgements, flow control, skips); the default makes a Gen3 x8 link carry 57.9 Gb/s of TLPs. A TLP
// takes its header bytes, which count its framing, sequence number and LCRC, and its data.
#pragma once

#include "params/describe.h"
#include "tlm/rate.h"

namespace iommusim::bus {

struct PcieParams {
  std::uint32_t generation = 3;
  std::uint32_t width = 8;
  std::uint64_t rate_bytes_per_s = 0;
  std::uint32_t dllp_overhead_ppm = 81'177;
  std::uint32_t max_payload_bytes = 256;
  std::uint32_t max_read_request_bytes = 512;
  std::uint32_t write_header_bytes = 24;
  std::uint32_t read_header_bytes = 24;
  std::uint32_t completion_header_bytes = 20;
  bool merge_tlps = false;
  std::uint32_t tags = 256;
  std::uint32_t posted_header_credits = 64;
  std::uint32_t posted_data_credits = 1024;
  std::uint32_t nonposted_header_credits = 64;
  std::uint64_t latency_up_ns = 150;
  std::uint64_t latency_down_ns = 150;
  std::uint32_t queue_depth = 8;

  /// For TLPs, each way.
  std::uint64_t tlp_bytes_per_s() const;
  /// What is wrong with fields that are each in range; nullptr: nothing.
  const char* contradiction() const;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = PcieParams;
    v("generation", &P::generation, Unit::kCount, Range{1, 6}, "2.5, 5, 8, 16, 32 or 64 GT/s a lane");
    v("width", &P::width, Unit::kCount, Range{1, 16}, "lanes: 1, 2, 4, 8 or 16");
    v("rate_bytes_per_s", &P::rate_bytes_per_s, Unit::kBytesPerSecond, Range{0, Rate::kMaxBytesPerSecond},
      "for TLPs, each way; 0 is what generation, width and overhead make");
    v("dllp_overhead_ppm", &P::dllp_overhead_ppm, Unit::kCount, Range{0, 900'000},
      "millionths of the raw rate that are not for TLPs; none in generation 6, whose flits hold them");
    v("max_payload_bytes", &P::max_payload_bytes, Unit::kBytes, Range{64, 4096},
      "MPS: data of a write or a completion, a power of two");
    v("max_read_request_bytes", &P::max_read_request_bytes, Unit::kBytes, Range{64, 4096},
      "MRRS: asked by one read request, a power of two");
    v("write_header_bytes", &P::write_header_bytes, Unit::kBytes, Range{0, 256},
      "framing and header of a write or a message");
    v("read_header_bytes", &P::read_header_bytes, Unit::kBytes, Range{0, 256}, "of a read or translation request");
    v("completion_header_bytes", &P::completion_header_bytes, Unit::kBytes, Range{0, 256}, "of a completion");
    v("merge_tlps", &P::merge_tlps, "the TLPs of a transfer on one page are one request to the IOMMU");
    v("tags", &P::tags, Unit::kCount, Range{1, 65536}, "read requests in flight");
    v("posted_header_credits", &P::posted_header_credits, Unit::kCount, Range{1, 65536},
      "writes that the upper end holds");
    v("posted_data_credits", &P::posted_data_credits, Unit::kCount, Range{1, 1 << 20},
      "their data, in units of 16 bytes");
    v("nonposted_header_credits", &P::nonposted_header_credits, Unit::kCount, Range{1, 65536},
      "read requests that the upper end holds");
    v("latency_up_ns", &P::latency_up_ns, Unit::kNs, Range{0, 1'000'000}, "last byte on the link to its arrival");
    v("latency_down_ns", &P::latency_down_ns, Unit::kNs, Range{0, 1'000'000},
      "the same downwards; credits come back so too");
    v("queue_depth", &P::queue_depth, Unit::kCount, Range{1, 65536}, "transfers that a function holds for the link");
  }
};

/// An AXI-like port: requests, write data and read data on channels of their own, in beats; no headers.
struct AxiParams {
  std::uint32_t clock_mhz = 1000;
  std::uint32_t width_bytes = 16;
  std::uint32_t max_burst_beats = 256;
  std::uint32_t outstanding_reads = 16;
  std::uint32_t outstanding_writes = 16;
  std::uint64_t latency_up_ns = 5;
  std::uint64_t latency_down_ns = 5;
  std::uint32_t queue_depth = 8;

  /// Of each channel.
  std::uint64_t bytes_per_s() const { return std::uint64_t{clock_mhz} * 1'000'000 * width_bytes; }
  const char* contradiction() const;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = AxiParams;
    v("clock_mhz", &P::clock_mhz, Unit::kMhz, Range{1, 10'000}, "beats a microsecond of each channel");
    v("width_bytes", &P::width_bytes, Unit::kBytes, Range{1, 128}, "data of a beat, a power of two");
    v("max_burst_beats", &P::max_burst_beats, Unit::kCount, Range{1, 256}, "longest burst; none crosses 4 KiB");
    v("outstanding_reads", &P::outstanding_reads, Unit::kCount, Range{1, 65536}, "read bursts in flight of an id");
    v("outstanding_writes", &P::outstanding_writes, Unit::kCount, Range{1, 65536}, "write bursts in flight of an id");
    v("latency_up_ns", &P::latency_up_ns, Unit::kNs, Range{0, 1'000'000}, "last beat to its arrival at the IOMMU");
    v("latency_down_ns", &P::latency_down_ns, Unit::kNs, Range{0, 1'000'000}, "the same for answers");
    v("queue_depth", &P::queue_depth, Unit::kCount, Range{1, 65536}, "transfers that a function holds for the port");
  }
};

enum class LinkKind : std::uint8_t { kPcie, kAxi };
inline constexpr base::Choice<LinkKind> kLinkKinds[] = {
    {"pcie", "a PCIe link", LinkKind::kPcie},
    {"axi", "an AXI-like port", LinkKind::kAxi},
};

/// A link by its own name.
struct LinkParams {
  std::uint32_t weight = 1;
  PcieParams pcie{};
  LinkKind kind = LinkKind::kPcie;
  AxiParams axi{};

  const char* contradiction() const { return kind == LinkKind::kAxi ? axi.contradiction() : pcie.contradiction(); }

  template <class V>
  static constexpr void describe(V&& v) {
    v("weight", &LinkParams::weight, base::Unit::kCount, params::Range{1, 65536},
      "in arbitration at its upper end (weighted, fixed)");
    v("kind", &LinkParams::kind, kLinkKinds, "what it is");
    v.group("pcie", &LinkParams::pcie, "kind pcie");
    v.group("axi", &LinkParams::axi, "kind axi");
  }
};

}  // namespace iommusim::bus
