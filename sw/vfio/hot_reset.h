// SPDX-License-Identifier: Apache-2.0
// GET_PCI_HOT_RESET_INFO and PCI_HOT_RESET: the reset of a whole bus. It concerns all functions on the bus, so a
// program must have them all. A function on bus 0 is part of the root complex, where no bridge could reset it: ENODEV,
// as vfio-pci says of one that has no slot or bus to reset.
#pragma once

#include <cstdint>

#include "hal/process.h"

namespace iommusim::vfio {

class DeviceFile;
class Registry;

/// 0 or a negative errno: EFAULT, EINVAL, ENODEV, ENOSPC (the count that is needed has been written).
int hot_reset_info(Registry& registry, DeviceFile& file, hal::Process& caller, std::uint64_t arg);
/// EFAULT, EINVAL, ENODEV, EBADF.
int hot_reset(Registry& registry, DeviceFile& file, hal::Process& caller, std::uint64_t arg);

}  // namespace iommusim::vfio
