// SPDX-License-Identifier: Apache-2.0
// The bus of a system, of the kind that its parameters choose, with a port for each function of each device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/topology.h"
#include "tlm/interconnect.h"

namespace iommusim::platform {

/// ParameterError for what contradicts itself or names what does not exist.
void check_bus(const SystemParams& params);

std::vector<std::string> port_names_of(const std::vector<std::unique_ptr<Workload>>& workloads);

/// The bus of one IOMMU (empty: `iommu`), with a port for each function behind it. `port_names` are those of all
/// functions of the topology. ParameterError when there is none behind it.
std::unique_ptr<bus::Interconnect> make_bus(const std::string& name, const SystemParams& params,
                                            const Topology& topology, const std::string& iommu,
                                            const std::vector<std::string>& port_names, stats::Group& parent);

}  // namespace iommusim::platform
