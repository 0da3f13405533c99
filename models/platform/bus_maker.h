// SPDX-License-Identifier: Apache-2.0
// The bus of a system, of the kind that its parameters choose, with a port for each function of each device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/params.h"
#include "platform/workload.h"
#include "tlm/interconnect.h"

namespace iommusim::platform {

/// ParameterError for what contradicts itself or names what does not exist.
void check_bus(const SystemParams& params);

std::vector<std::string> port_names_of(const std::vector<std::unique_ptr<Workload>>& workloads);

/// Ports in the order of the workloads and their sockets.
std::unique_ptr<bus::Interconnect> make_bus(const char* name, const SystemParams& params,
                                            const std::vector<std::unique_ptr<Workload>>& workloads,
                                            stats::Group& parent);

}  // namespace iommusim::platform
