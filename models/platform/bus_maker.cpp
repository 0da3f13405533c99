// SPDX-License-Identifier: Apache-2.0
#include "platform/bus_maker.h"

#include "base/nearest.h"
#include "platform/checks.h"
#include "tlm/dma_bus.h"
#include "tlm/fabric.h"

namespace iommusim::platform {

namespace {

void check_link(const std::string& path, const bus::PcieParams& pcie) {
  if (const char* const what = pcie.contradiction(); what != nullptr)
    throw ParameterError(path, std::string(what) + ", expected otherwise");
}

bus::LinkParams link_of(const SystemParams& params, const std::string& device) {
  bus::LinkParams standard;
  standard.pcie = params.bus.pcie;
  const auto found = params.devices.find(device);
  return found == params.devices.end() || found->second.link.empty() ? standard
                                                                     : params.bus.links.at(found->second.link);
}

}  // namespace

void check_bus(const SystemParams& params) {
  check_link("bus.pcie", params.bus.pcie);
  std::vector<std::string> names;
  for (const auto& [name, link] : params.bus.links) {
    check_link("bus.links." + name + ".pcie", link.pcie);
    names.push_back(name);
  }
  for (const auto& [name, device] : params.devices) {
    if (device.link.empty()) continue;
    const std::string path = "devices." + name + ".link";
    if (params.bus.kind == bus::BusKind::kShared)
      throw ParameterError(path, "the bus is of kind shared and has no links, expected bus.kind pcie");
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

std::unique_ptr<bus::Interconnect> make_bus(const char* name, const SystemParams& params,
                                            const std::vector<std::unique_ptr<Workload>>& workloads,
                                            stats::Group& parent) {
  if (params.bus.kind == bus::BusKind::kShared)
    return std::make_unique<bus::DmaBus>(name, params.bus, port_names_of(workloads), parent);
  bus::Fabric::Shape shape;
  shape.arbitration = params.bus.arbitration;
  for (const auto& workload : workloads)
    for (const std::string& port : workload->port_names()) {
      shape.ports.push_back({port, static_cast<std::uint32_t>(shape.links.size())});
      shape.links.push_back({port + "_link", bus::Fabric::kHostBridge, link_of(params, workload->device_name()), {}});
    }
  return std::make_unique<bus::Fabric>(name, shape, parent);
}

}  // namespace iommusim::platform
