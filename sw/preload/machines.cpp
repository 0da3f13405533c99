// SPDX-License-Identifier: Apache-2.0
// The table of machines.
#include "preload/machines.h"

#include "preload/mock_machine.h"
#include "preload/simulated_machine.h"

namespace iommusim::preload {
namespace {

constexpr MachineKind kMachines[] = {
    {"mock", "no hardware: the stack on plain threads, devices come with the test command", make_mock_machine,
     [](const std::vector<std::string>&) { return std::vector<SlotDescription>(); }},
#ifdef IOMMUSIM_HAS_PLATFORM
    {"simulated", "the IOMMU, bus and devices of a system file, simulated in the program's process",
     make_simulated_machine, simulated_slots},
#endif
};

}  // namespace

const MachineKind* find_machine(const std::string& name) {
  for (const MachineKind& kind : kMachines)
    if (name == kind.name) return &kind;
  return nullptr;
}

}  // namespace iommusim::preload
