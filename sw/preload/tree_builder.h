// SPDX-License-Identifier: Apache-2.0
// Makes the tree of files (tree.h) for a machine with these functions: sysfs of the PCI bus and of IOMMU groups, as
// user space drivers, QEMU and DPDK look for it, and placeholders for the device nodes. Each function is bound to
// vfio-pci from the start; what a binding tool writes is accepted and changes nothing.
#pragma once

#include <string>
#include <vector>

#include "vfio/pci_function.h"

namespace iommusim::preload {

/// What sysfs tells of a function before the machine exists.
struct SlotDescription {
  std::string address;  ///< 0000:00:04.0
  vfio::PciIdentity identity;
  unsigned group = 0;  ///< its IOMMU group; the n-th function is vfio<n>
};

/// Below `root`, an empty folder. Throws std::filesystem::filesystem_error.
void build_tree(const std::string& root, const std::vector<SlotDescription>& slots);

}  // namespace iommusim::preload
