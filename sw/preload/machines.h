// SPDX-License-Identifier: Apache-2.0
// Which machines there are.
#pragma once

#include "preload/machine.h"
#include "preload/tree_builder.h"

namespace iommusim::preload {

struct MachineKind {
  const char* name;
  const char* help;
  MachineMaker make;
  /// What it will have in its slots, in their order, without being made.
  std::vector<SlotDescription> (*slots)(const std::vector<std::string>& arguments);
};

/// nullptr: no such kind.
const MachineKind* find_machine(const std::string& name);

}  // namespace iommusim::preload
