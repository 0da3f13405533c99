// SPDX-License-Identifier: Apache-2.0
// GET_INFO, GET_REGION_INFO, GET_IRQ_INFO and the header of SET_IRQS (uapi 11.5), as vfio-pci answers them.
#include <algorithm>
#include <cerrno>

#include "uapi/vfio.h"
#include "vfio/pci_device.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {

int PciDevice::get_info(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioDeviceInfo info{};
  if (const int error = copy_in(caller, info, arg, uapi::kVfioDeviceInfoMinSize)) return error;
  if (info.argsz < uapi::kVfioDeviceInfoMinSize) return -EINVAL;
  const std::uint32_t bytes = std::min<std::uint32_t>(info.argsz, sizeof info);
  info.flags = uapi::kVfioDeviceFlagPci | (identity().resettable ? uapi::kVfioDeviceFlagReset : 0U);
  info.num_regions = uapi::kVfioPciRegions;
  info.num_irqs = uapi::kVfioPciIrqs;
  return copy_out(caller, arg, &info, bytes);
}

int PciDevice::get_region_info(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioRegionInfo info{};
  if (const int error = copy_in(caller, info, arg)) return error;
  if (info.argsz < sizeof info) return -EINVAL;
  // Of the nine regions a device without VGA has eight.
  if (info.index >= uapi::kVfioPciVga) return -EINVAL;
  info.offset = static_cast<std::uint64_t>(info.index) << uapi::kVfioPciOffsetShift;
  info.flags = 0;
  info.size = 0;
  info.cap_offset = 0;
  bool msix_mappable = false;
  if (info.index == uapi::kVfioPciConfig) {
    info.size = config_.size();
    info.flags = uapi::kVfioRegionRead | uapi::kVfioRegionWrite;
  } else if (info.index == uapi::kVfioPciRom) {
    info.size = rom_bytes();
    info.flags = info.size != 0 ? uapi::kVfioRegionRead : 0U;
  } else if (const PciBar& bar = identity().bars[info.index]; bar.bytes != 0) {
    info.size = bar.bytes;
    info.flags = uapi::kVfioRegionRead | uapi::kVfioRegionWrite;
    if (bar.mappable && !bar.io) info.flags |= uapi::kVfioRegionMmap;
    const PciMsix& msix = identity().msix;
    msix_mappable = bar.mappable && !bar.io && msix.vectors != 0 && msix.table_bar == info.index;
  }
  // The only link that a chain can have: the table of MSI-X may be mapped along with its BAR.
  const uapi::VfioInfoCapHeader capability{uapi::kVfioRegionCapMsixMappable, 1, 0};
  if (msix_mappable) {
    info.flags |= uapi::kVfioRegionCaps;
    if (info.argsz < sizeof info + sizeof capability) {
      info.argsz = sizeof info + sizeof capability;
    } else {
      if (const int error = copy_out(caller, arg + sizeof info, &capability, sizeof capability)) return error;
      info.cap_offset = sizeof info;
    }
  }
  return copy_out(caller, arg, &info, sizeof info);
}

int PciDevice::get_irq_info(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioIrqInfo info{};
  if (const int error = copy_in(caller, info, arg)) return error;
  if (info.argsz < sizeof info || info.index >= uapi::kVfioPciIrqs) return -EINVAL;
  if (info.index == uapi::kVfioPciErr && !identity().express) return -EINVAL;
  info.flags = uapi::kVfioIrqEventfd;
  if (info.index == uapi::kVfioPciIntx)
    info.flags |= uapi::kVfioIrqMaskable | uapi::kVfioIrqAutomasked;
  else if (info.index != uapi::kVfioPciMsix)
    info.flags |= uapi::kVfioIrqNoresize;
  info.count = interrupts_.count(info.index);
  return copy_out(caller, arg, &info, sizeof info);
}

int PciDevice::set_irqs(hal::Process& caller, std::uint64_t arg) {
  IrqRequest request;
  uapi::VfioIrqSet& header = request.header;
  if (const int error = copy_in(caller, header, arg)) return error;
  constexpr std::uint32_t kFlags = uapi::kVfioIrqDataTypes | uapi::kVfioIrqActions;
  if (header.argsz < sizeof header || header.index >= uapi::kVfioPciIrqs || (header.flags & ~kFlags) != 0)
    return -EINVAL;
  const std::uint32_t available = interrupts_.count(header.index);
  if (header.start >= available || header.count > available - header.start) return -EINVAL;
  std::uint32_t item = 0;
  switch (header.flags & uapi::kVfioIrqDataTypes) {
    case uapi::kVfioIrqDataNone:
      break;
    case uapi::kVfioIrqDataBool:
      item = 1;
      break;
    case uapi::kVfioIrqDataEventfd:
      item = 4;
      break;
    default:
      return -EINVAL;
  }
  const std::uint32_t action = header.flags & uapi::kVfioIrqActions;
  if (action == 0 || (action & (action - 1)) != 0) return -EINVAL;
  const std::uint64_t bytes = static_cast<std::uint64_t>(header.count) * item;  // few: count is at most 2048
  if (header.argsz - sizeof header < bytes) return -EINVAL;
  request.data.resize(bytes);
  if (bytes != 0)
    if (const int error = copy_in(caller, request.data.data(), arg + sizeof header, bytes)) return error;
  return -interrupts_.set(caller, request);
}

}  // namespace iommusim::vfio
