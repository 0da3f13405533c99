// SPDX-License-Identifier: Apache-2.0
// Parameters of what is between devices and IOMMUs, beyond one IOMMU and a link each: bridges, and address ranges that
// must not be mapped. Which device is where, is said by the devices (params.h).
#pragma once

#include <map>
#include <string>

#include "tlm/bus_params.h"

namespace iommusim::platform {

enum class BridgeKind : std::uint8_t { kSwitch, kPci };
inline constexpr base::Choice<BridgeKind> kBridgeKinds[] = {
    {"switch", "a PCIe switch or root port: requests keep the ids of their functions", BridgeKind::kSwitch},
    {"pci", "a PCIe-to-PCI bridge: all that is below has the id of its secondary bus, device 0, function 0",
     BridgeKind::kPci},
};

struct BridgeParams {
  BridgeKind kind = BridgeKind::kSwitch;
  std::string iommu;
  std::string below;
  bool acs = true;
  std::uint32_t secondary_bus = 0;
  bus::Arbitration arbitration = bus::Arbitration::kRoundRobin;
  std::string link;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = BridgeParams;
    v("kind", &P::kind, kBridgeKinds, "what it does with the ids of requests");
    v("iommu", &P::iommu, "the IOMMU above it, one of iommus; empty: `iommu`, or that of the bridge above");
    v("below", &P::below, "the bridge above it; empty: the host bridge");
    v("acs", &P::acs, "its ports isolate what is below it from each other (PCIe ACS)");
    v("secondary_bus", &P::secondary_bus, base::Unit::kCount, params::Range{0, 255}, "kind pci: the bus below it");
    v("arbitration", &P::arbitration, bus::kArbitrations, "among what is below it");
    v("link", &P::link, "its link upwards, one of bus.links; empty: the link of bus.pcie");
  }
};

enum class ReservedKind : std::uint8_t { kReserved, kDirect, kMsi };
inline constexpr base::Choice<ReservedKind> kReservedKinds[] = {
    {"reserved", "not for DMA", ReservedKind::kReserved},
    {"direct", "firmware maps it one to one for the device", ReservedKind::kDirect},
    {"msi", "writes there are interrupts", ReservedKind::kMsi},
};

struct ReservedParams {
  ReservedKind kind = ReservedKind::kReserved;
  std::string device;
  std::uint64_t first = 0;
  std::uint64_t bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = ReservedParams;
    v("kind", &P::kind, kReservedKinds, "why it must not be mapped");
    v("device", &P::device, "whose it is; empty: every device's");
    v("first", &P::first, base::Unit::kBytes, params::Range{0, 1ULL << 60}, "first IOVA, a multiple of 4 KiB");
    v("bytes", &P::bytes, base::Unit::kBytes, params::Range{4096, 1ULL << 60}, "a multiple of 4 KiB");
  }
};

enum class PeerToPeer : std::uint8_t { kRefused, kRouted };
inline constexpr base::Choice<PeerToPeer> kPeerToPeerChoices[] = {
    {"refused", "the host bridge answers with an error", PeerToPeer::kRefused},
    {"routed", "it reaches the device", PeerToPeer::kRouted},
};

struct TopologyParams {
  PeerToPeer peer_to_peer = PeerToPeer::kRefused;
  std::map<std::string, BridgeParams> bridges;
  std::map<std::string, ReservedParams> reserved;

  template <class V>
  static constexpr void describe(V&& v) {
    v("peer_to_peer", &TopologyParams::peer_to_peer, kPeerToPeerChoices, "DMA to the memory (BAR) of another device");
    v.named_groups("bridges", &TopologyParams::bridges, "bridges of a bus of kind pcie, by name");
    v.named_groups("reserved", &TopologyParams::reserved, "IOVA ranges that iommufd must not map, by name");
  }
};

}  // namespace iommusim::platform
