// SPDX-License-Identifier: Apache-2.0
// The table of machines.
#include "preload/machines.h"

#include "preload/mock_machine.h"

namespace iommusim::preload {
namespace {

constexpr MachineKind kMachines[] = {
    {"mock", "no hardware: the stack on plain threads, devices come with the test command", make_mock_machine,
     [](const std::vector<std::string>&) { return std::vector<SlotDescription>(); }},
};

}  // namespace

const MachineKind* find_machine(const std::string& name) {
  for (const MachineKind& kind : kMachines)
    if (name == kind.name) return &kind;
  return nullptr;
}

}  // namespace iommusim::preload
