// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a topology, told with the parameter that is wrong.
#include "base/nearest.h"
#include "platform/checks.h"
#include "platform/topology.h"

namespace iommusim::platform {

namespace {

template <class Map>
void check_name(const Map& map, const std::string& name, const std::string& path, const char* what) {
  if (name.empty() || map.count(name) != 0) return;
  std::vector<std::string> names;
  for (const auto& [key, value] : map) names.push_back(key);
  throw ParameterError(
      path, "there is no " + std::string(what) + " '" + name + "', " +
                (names.empty() ? "expected none" : "did you mean '" + base::nearest_name(name, names) + "'?"));
}

void check_bridge(const SystemParams& params, const std::string& name, const BridgeParams& bridge) {
  const std::string path = "topology.bridges." + name;
  check_name(params.iommus, bridge.iommu, path + ".iommu", "IOMMU");
  check_name(params.topology.bridges, bridge.below, path + ".below", "bridge");
  check_name(params.bus.links, bridge.link, path + ".link", "link");
  if (params.bus.kind == bus::BusKind::kShared)
    throw ParameterError(path, "the bus has no bridges, expected bus.kind pcie or axi");
  if (!bridge.iommu.empty() && !bridge.below.empty())
    throw ParameterError(path + ".iommu",
                         "said of a bridge below another one, expected none: it is that of the bridge above");
  std::size_t steps = 0;
  for (const BridgeParams* at = &bridge; !at->below.empty(); at = &params.topology.bridges.at(at->below)) {
    check_name(params.topology.bridges, at->below, path + ".below", "bridge");
    if (++steps > params.topology.bridges.size())
      throw ParameterError(path + ".below", "the bridges go round in a circle, expected a tree");
  }
}

}  // namespace

void check_topology(const SystemParams& params) {
  for (const auto& [name, bridge] : params.topology.bridges) check_bridge(params, name, bridge);
  for (const auto& [name, region] : params.topology.reserved) {
    const std::string path = "topology.reserved." + name;
    check_name(params.devices, region.device, path + ".device", "device");
    if (region.first % base::kPageSize != 0) throw ParameterError(path + ".first", "expected a multiple of 4096");
    if (region.bytes % base::kPageSize != 0) throw ParameterError(path + ".bytes", "expected a multiple of 4096");
  }
  for (const auto& [name, device] : params.devices) {
    const std::string path = "devices." + name;
    check_name(params.iommus, device.iommu, path + ".iommu", "IOMMU");
    check_name(params.topology.bridges, device.below, path + ".below", "bridge");
    if (!device.iommu.empty() && !device.below.empty())
      throw ParameterError(path + ".iommu", "said of a device below a bridge, expected none: it is that of the bridge");
    if (!device.atc.present) continue;
    for (std::string at = device.below; !at.empty(); at = params.topology.bridges.at(at).below)
      if (params.topology.bridges.at(at).kind == BridgeKind::kPci)
        throw ParameterError(path + ".atc.present",
                             "true, but the device is below a PCIe-to-PCI bridge, expected false");
  }
  if (params.software.stack == Stack::kTables && !params.iommus.empty())
    throw ParameterError("iommus", "software.stack tables drives one IOMMU, expected none");
}

}  // namespace iommusim::platform
