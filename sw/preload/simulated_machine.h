// SPDX-License-Identifier: Apache-2.0
// The machine with the simulated hardware (platform/exec): a system file's IOMMU, bus and devices in the program's own
// process. Its arguments: system=FILE (empty or absent: systems/exec.yaml as it was built in), set=path=value, seed=N,
// output=FOLDER, ioctl_log=FILE; paths are absolute.
#pragma once

#include "preload/machine.h"
#include "preload/tree_builder.h"

namespace iommusim::preload {

std::unique_ptr<Machine> make_simulated_machine(const Ram& ram, hal::Memory& memory,
                                                const std::vector<std::string>& arguments);
std::vector<SlotDescription> simulated_slots(const std::vector<std::string>& arguments);

}  // namespace iommusim::preload
