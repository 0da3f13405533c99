// SPDX-License-Identifier: Apache-2.0
// Parameters of the bus between devices and an IOMMU: which kind, and what each kind needs.
#pragma once

#include <map>
#include <string>

#include "tlm/arbiter.h"
#include "tlm/link_params.h"

namespace iommusim::bus {

enum class BusKind : std::uint8_t { kShared, kPcie, kAxi };
inline constexpr base::Choice<BusKind> kBusKinds[] = {
    {"shared", "all devices share one link each way, in packets of one header size", BusKind::kShared},
    {"pcie", "a PCIe link for each device (docs/bus.md)", BusKind::kPcie},
    {"axi", "an AXI-like port for each device (docs/bus.md)", BusKind::kAxi},
};

struct DmaBusParams {
  BusKind kind = BusKind::kShared;
  std::uint64_t latency_up_ns = 150;
  std::uint64_t latency_down_ns = 150;
  std::uint64_t bandwidth_up_bytes_per_s = 16'000'000'000;
  std::uint64_t bandwidth_down_bytes_per_s = 16'000'000'000;
  std::uint32_t header_bytes = 24;
  std::uint32_t queue_depth = 8;
  std::uint32_t credits = 64;
  Arbitration arbitration = Arbitration::kRoundRobin;
  PcieParams pcie{};
  AxiParams axi{};
  std::map<std::string, LinkParams> links;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = DmaBusParams;
    v("kind", &P::kind, kBusKinds, "what is between devices and IOMMU");
    v("latency_up_ns", &P::latency_up_ns, Unit::kNs, Range{0, 1'000'000},
      "kind shared, as what follows: last byte on the link to its arrival");
    v("latency_down_ns", &P::latency_down_ns, Unit::kNs, Range{0, 1'000'000}, "the same for answers");
    v("bandwidth_up_bytes_per_s", &P::bandwidth_up_bytes_per_s, Unit::kBytesPerSecond,
      Range{0, Rate::kMaxBytesPerSecond}, "device to IOMMU, all ports together; 0 is no limit");
    v("bandwidth_down_bytes_per_s", &P::bandwidth_down_bytes_per_s, Unit::kBytesPerSecond,
      Range{0, Rate::kMaxBytesPerSecond}, "IOMMU to device, all ports together; 0 is no limit");
    v("header_bytes", &P::header_bytes, Unit::kBytes, Range{0, 4096}, "framing and header of each packet");
    v("queue_depth", &P::queue_depth, Unit::kCount, Range{1, 65536}, "requests that a port holds for the link");
    v("credits", &P::credits, Unit::kCount, Range{1, 65536}, "transactions that a port may have under way");
    v("arbitration", &P::arbitration, kArbitrations, "kinds pcie and axi: among the links that end at the host bridge");
    v.group("pcie", &P::pcie, "kind pcie: the link of each device that names no other");
    v.group("axi", &P::axi, "kind axi: the port of each device that names no other link");
    v.named_groups("links", &P::links, "kinds pcie and axi: links for devices that name them");
  }
};

}  // namespace iommusim::bus
