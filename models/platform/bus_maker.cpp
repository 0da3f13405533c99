// SPDX-License-Identifier: Apache-2.0
#include "platform/bus_maker.h"

#include "base/nearest.h"
#include "platform/checks.h"
#include "tlm/dma_bus.h"
#include "tlm/fabric.h"

namespace iommusim::platform {

namespace {

template <class Link>
void check_link(const std::string& path, const Link& link) {
  if (const char* const what = link.contradiction(); what != nullptr)
    throw ParameterError(path, std::string(what) + ", expected otherwise");
}

}  // namespace

void check_bus(const SystemParams& params) {
  check_link("bus.pcie", params.bus.pcie);
  check_link("bus.axi", params.bus.axi);
  std::vector<std::string> names;
  for (const auto& [name, link] : params.bus.links) {
    check_link("bus.links." + name + (link.kind == bus::LinkKind::kAxi ? ".axi" : ".pcie"), link);
    names.push_back(name);
  }
  for (const auto& [name, device] : params.devices) {
    if (device.link.empty()) continue;
    const std::string path = "devices." + name + ".link";
    if (params.bus.kind == bus::BusKind::kShared)
      throw ParameterError(path, "the bus is of kind shared and has no links, expected bus.kind pcie or axi");
    if (params.bus.links.count(device.link) == 0)
      throw ParameterError(path,
                           "there is no link '" + device.link + "'; " +
                               (names.empty() ? "bus.links is empty"
                                              : "did you mean '" + base::nearest_name(device.link, names) + "'?"));
  }
}

std::vector<std::string> port_names_of(const std::vector<std::unique_ptr<Workload>>& workloads) {
  std::vector<std::string> names;
  for (const auto& workload : workloads)
    for (const std::string& name : workload->port_names()) names.push_back(name);
  return names;
}

std::unique_ptr<bus::Interconnect> make_bus(const std::string& name, const SystemParams& params,
                                            const Topology& topology, const std::string& iommu,
                                            const std::vector<std::string>& port_names, stats::Group& parent) {
  std::vector<std::string> own;
  for (std::size_t i = 0; i < port_names.size(); ++i)
    if (topology.iommu_of_port(static_cast<std::uint32_t>(i)) == iommu) own.push_back(port_names[i]);
  if (own.empty())
    throw ParameterError(iommu.empty() ? "iommu" : "iommus." + iommu, "no device is behind it, expected one at least");
  if (params.bus.kind == bus::BusKind::kShared)
    return std::make_unique<bus::DmaBus>(name.c_str(), params.bus, own, parent);
  return std::make_unique<bus::Fabric>(name.c_str(), topology.shape_of(iommu, port_names), parent);
}

}  // namespace iommusim::platform
