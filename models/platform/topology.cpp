// SPDX-License-Identifier: Apache-2.0
#include "platform/topology.h"

#include <algorithm>
#include <set>

#include "platform/checks.h"

namespace iommusim::platform {

namespace {

const DeviceParams* device_of(const SystemParams& params, const std::string& name) {
  const auto found = params.devices.find(name);
  return found == params.devices.end() ? nullptr : &found->second;
}

domain::ReservedRegion::Kind kind_of(ReservedKind kind) {
  if (kind == ReservedKind::kDirect) return domain::ReservedRegion::Kind::kDirect;
  return kind == ReservedKind::kMsi ? domain::ReservedRegion::Kind::kMsi : domain::ReservedRegion::Kind::kReserved;
}

}  // namespace

std::string iommu_of(const SystemParams& params, const std::string& name) {
  const DeviceParams* const device = device_of(params, name);
  if (device == nullptr) return {};
  if (device->below.empty()) return device->iommu;
  const BridgeParams* bridge = &params.topology.bridges.at(device->below);
  while (!bridge->below.empty()) bridge = &params.topology.bridges.at(bridge->below);
  return bridge->iommu;
}

std::vector<Topology::Named> functions_of(const std::vector<std::unique_ptr<Workload>>& workloads) {
  std::vector<Topology::Named> named;
  std::uint32_t port = 0;
  for (const auto& workload : workloads) {
    const std::vector<std::vector<std::uint32_t>> ids = workload->functions();
    for (std::size_t i = 0; i < workload->port_names().size(); ++i, ++port) {
      if (ids.empty()) named.push_back({workload->device_name(), Topology::kUnknown, port});
      for (std::size_t k = 0; !ids.empty() && k < ids[i].size(); ++k)
        named.push_back({workload->device_name(), ids[i][k], port});
    }
  }
  return named;
}

Topology::Topology(const SystemParams& params, const std::vector<Named>& functions) : params_(params) {
  named_ = !params.iommus.empty() || !params.topology.bridges.empty() || !params.topology.reserved.empty();
  for (const auto& [name, device] : params.devices) named_ |= !device.acs;
  for (const auto& [name, id, port] : functions) {
    Function function;
    function.port = port;
    function.device = name;
    function.id = function.alias = id;
    function.iommu = iommu_of(params, name);
    for (const std::string& bridge : bridges_above(name))  // the topmost one that gives an id decides
      if (const BridgeParams& above = params.topology.bridges.at(bridge); above.kind == BridgeKind::kPci)
        function.alias = above.secondary_bus << 8;
    for (const auto& [region_name, region] : params.topology.reserved)
      if (region.device.empty() || region.device == name)
        function.reserved.push_back({region.first, region.first + region.bytes - 1, kind_of(region.kind)});
    functions_.push_back(std::move(function));
  }
  find_groups();
}

const Topology::Function* Topology::find(std::uint32_t id) const {
  for (const Function& function : functions_)
    if (function.id == id) return &function;
  return nullptr;
}

const std::string& Topology::iommu_of_port(std::uint32_t port) const {
  for (const Function& function : functions_)
    if (function.port == port) return function.iommu;
  base::contradiction("a port without functions");
}

/// From the device upwards.
std::vector<std::string> Topology::bridges_above(const std::string& name) const {
  std::vector<std::string> bridges;
  const DeviceParams* const device = device_of(params_, name);
  for (std::string at = device == nullptr ? "" : device->below; !at.empty(); at = params_.topology.bridges.at(at).below)
    bridges.push_back(at);
  return bridges;
}

/// Functions of one PCI device share its link: what has the same bus and device number at the same place.
std::string Topology::endpoint_of(const Function& function) const {
  if (function.id == kUnknown) return {};
  const DeviceParams* const device = device_of(params_, function.device);
  return function.iommu + "/" + (device == nullptr ? "" : device->below) + "/" + std::to_string(function.id >> 3);
}

/// What is equal for functions that nothing keeps apart.
std::string Topology::isolation_key(const Function& function) const {
  std::string key = "function " + function.iommu + "/" + std::to_string(function.id);
  const DeviceParams* const own = device_of(params_, function.device);
  bool isolated = own == nullptr || own->acs;
  for (const Function& other : functions_) {
    const DeviceParams* const device = device_of(params_, other.device);
    isolated &= device == nullptr || device->acs || endpoint_of(other) != endpoint_of(function);
  }
  if (!isolated) key = "device " + endpoint_of(function);
  for (const std::string& name : bridges_above(function.device)) {
    const BridgeParams& bridge = params_.topology.bridges.at(name);
    if (!bridge.acs || bridge.kind == BridgeKind::kPci) key = "bridge " + name;
  }
  return key;
}

void Topology::find_groups() {
  std::map<std::string, std::uint32_t> smallest;
  for (const Function& function : functions_) {
    const auto [found, fresh] = smallest.try_emplace(isolation_key(function), function.id);
    if (!fresh) found->second = std::min(found->second, function.id);
  }
  for (Function& function : functions_) function.group = smallest.at(isolation_key(function));
}

bus::LinkParams Topology::link_named(const std::string& link) const {
  if (!link.empty()) return params_.bus.links.at(link);
  bus::LinkParams standard;
  standard.pcie = params_.bus.pcie;
  standard.axi = params_.bus.axi;
  if (params_.bus.kind == bus::BusKind::kAxi) standard.kind = bus::LinkKind::kAxi;
  return standard;
}

bus::Fabric::Shape Topology::shape_of(const std::string& iommu, const std::vector<std::string>& port_names) const {
  bus::Fabric::Shape shape;
  shape.arbitration = params_.bus.arbitration;
  std::map<std::string, std::uint32_t> bridge_links;
  const auto add_bridge = [&](const std::string& name, const auto& self) -> std::uint32_t {
    if (name.empty()) return bus::Fabric::kHostBridge;
    if (const auto found = bridge_links.find(name); found != bridge_links.end()) return found->second;
    const BridgeParams& bridge = params_.topology.bridges.at(name);
    const std::uint32_t above = self(bridge.below, self);
    shape.links.push_back({name, above, link_named(bridge.link), bridge.arbitration});
    return bridge_links[name] = static_cast<std::uint32_t>(shape.links.size() - 1);
  };
  std::map<std::string, std::uint32_t> endpoints;
  std::map<std::string, std::string> first_of;
  std::uint32_t next_port = 0;
  for (const Function& function : functions_) {
    if (function.port < next_port || function.iommu != iommu) continue;
    next_port = function.port + 1;
    const std::string& port_name = port_names[function.port];
    const DeviceParams* const device = device_of(params_, function.device);
    const std::string link = device == nullptr ? "" : device->link;
    std::string endpoint = endpoint_of(function);
    if (endpoint.empty()) endpoint = port_name;
    auto found = endpoints.find(endpoint);
    if (found == endpoints.end()) {
      const std::uint32_t above = add_bridge(device == nullptr ? "" : device->below, add_bridge);
      shape.links.push_back({port_name + "_link", above, link_named(link), {}});
      found = endpoints.emplace(endpoint, static_cast<std::uint32_t>(shape.links.size() - 1)).first;
      first_of[endpoint] = function.device;
    } else if (const DeviceParams* const first = device_of(params_, first_of[endpoint]);
               first != nullptr && first->link != link) {
      throw ParameterError("devices." + function.device + ".link",
                           "another link than that of devices." + first_of[endpoint] +
                               ", which is a function of the same device, expected the same");
    }
    bus::Fabric::PortShape port{port_name, found->second, {}};
    if (function.alias != function.id) port.alias = base::DeviceId(function.alias);
    shape.ports.push_back(port);
  }
  return shape;
}

}  // namespace iommusim::platform
