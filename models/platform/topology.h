// SPDX-License-Identifier: Apache-2.0
// Where each function is: behind which IOMMU and bridges, under which id its requests come, in which isolation group it
// is, which IOVAs are reserved. A group holds what cannot be kept apart: functions of a device without ACS, everything
// below a bridge without ACS, everything below a PCIe-to-PCI bridge (which gives all of it one id). Its number is the
// smallest id in it. Made once, from parameters; a system that names no topology has one IOMMU and a group a function.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "domain/domain.h"
#include "platform/params.h"
#include "platform/workload.h"
#include "tlm/fabric.h"

namespace iommusim::platform {

/// ParameterError for bridges, IOMMUs and links that are not there, go round in circles or contradict themselves.
void check_topology(const SystemParams& params);

/// The IOMMU of a device: the name of one of `iommus`; empty: `iommu`.
std::string iommu_of(const SystemParams& params, const std::string& device);

class Topology {
 public:
  static constexpr std::uint32_t kUnknown = ~0U;  ///< the id of a function that only its device knows
  struct Function {
    std::uint32_t port = 0;   ///< number among the ports of all devices
    std::string device;       ///< its name; empty: none of SystemParams::devices
    std::uint32_t id = 0;     ///< its own
    std::uint32_t alias = 0;  ///< of its requests at the IOMMU
    std::string iommu;        ///< empty: `iommu`
    std::uint32_t group = 0;
    std::vector<domain::ReservedRegion> reserved;
  };
  /// A function of a device.
  struct Named {
    std::string device;
    std::uint32_t id = 0;
    std::uint32_t port = 0;  ///< number among the ports of all devices, ascending; functions may share one
  };

  /// ParameterError for functions of one device that are on different links.
  Topology(const SystemParams& params, const std::vector<Named>& functions);

  /// Something is said about it: devices are known to software from the start.
  bool is_named() const { return named_; }
  const std::vector<Function>& functions() const { return functions_; }
  /// nullptr: there is none with that id.
  const Function* find(std::uint32_t id) const;
  /// By number of the port: the IOMMU behind which its functions are.
  const std::string& iommu_of_port(std::uint32_t port) const;
  /// The links of the IOMMU's bus and its ports in order; `port_names` are those of all.
  bus::Fabric::Shape shape_of(const std::string& iommu, const std::vector<std::string>& port_names) const;

 private:
  std::vector<std::string> bridges_above(const std::string& device) const;
  std::string endpoint_of(const Function& function) const;
  std::string isolation_key(const Function& function) const;
  bus::LinkParams link_named(const std::string& link) const;
  void find_groups();

  const SystemParams& params_;
  std::vector<Function> functions_;
  bool named_ = false;
};

/// All functions of the workloads, in the order of their ports.
std::vector<Topology::Named> functions_of(const std::vector<std::unique_ptr<Workload>>& workloads);

}  // namespace iommusim::platform
