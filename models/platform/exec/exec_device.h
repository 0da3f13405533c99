// SPDX-License-Identifier: Apache-2.0
// Which devices of a system file a program can take over under `iommusim exec`, and what they are as PCI functions.
// What is told here needs no simulation: the tree of sysfs is made from it before the program starts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "devices/dma_master.h"
#include "devices/pci_model.h"
#include "platform/params.h"
#include "vfio/pci_function.h"

namespace iommusim::platform {

struct ExecSlot {
  std::string name;     ///< of the device, in the system file
  std::string address;  ///< as sysfs names it: 0000:00:04.0
  std::uint32_t id = 0;
  vfio::PciIdentity identity;
};

/// The devices in the order of their names. ParameterError for a kind that has a workload of its own, and for a system
/// that exec cannot run: several IOMMUs, no driver.
std::vector<ExecSlot> exec_slots(const SystemParams& params);

/// The model of a device of such a kind.
std::unique_ptr<devices::PciModel> make_pci_model(const std::string& name, const DeviceParams& params,
                                                  stats::Group& parent);

}  // namespace iommusim::platform
