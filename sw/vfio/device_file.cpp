// SPDX-License-Identifier: Apache-2.0
// The calls of a program on a device's file, by number.
#include "vfio/device_file.h"

#include <cerrno>
#include <new>

#include "uapi/vfio.h"
#include "vfio/hot_reset.h"

namespace iommusim::vfio {

DeviceFile::DeviceFile(Registry& registry, Device& device)
    : File("/dev/vfio/devices/vfio", hal::Pollable::kAlways), registry_(registry), device_(device) {}

DeviceFile::DeviceFile(Registry& registry, Device& device, std::shared_ptr<hal::File> group)
    : File("anon_inode:[vfio-device]", hal::Pollable::kAlways),
      registry_(registry),
      device_(device),
      group_(std::move(group)),
      granted_(true) {}

DeviceFile::~DeviceFile() {
  if (through_group())
    device_.close_through_group();
  else if (granted())
    device_.close_bound();
}

std::int64_t DeviceFile::read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                              std::uint64_t& position) {
  return granted() ? device_.pci().read(caller, user_va, bytes, position) : -EINVAL;
}

std::int64_t DeviceFile::write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                               std::uint64_t& position) {
  return granted() ? device_.pci().write(caller, user_va, bytes, position) : -EINVAL;
}

int DeviceFile::mmap(hal::Process&, std::uint64_t offset, std::uint64_t bytes, unsigned, bool shared,
                     hal::MappedRegion& out) {
  return granted() ? device_.pci().mmap(offset, bytes, shared, out) : -EINVAL;
}

std::int64_t DeviceFile::ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) {
  try {
    if (command == uapi::kVfioDeviceBindIommufd) return device_.bind(*this, caller, arg);
    if (!granted()) return -EINVAL;
    PciDevice& pci = device_.pci();
    switch (command) {
      case uapi::kVfioDeviceAttachIommufdPt:
        return through_group() ? -ENOTTY : device_.attach(caller, arg);
      case uapi::kVfioDeviceDetachIommufdPt:
        return through_group() ? -ENOTTY : device_.detach(caller, arg);
      case uapi::kVfioDeviceGetInfo:
        return pci.get_info(caller, arg);
      case uapi::kVfioDeviceGetRegionInfo:
        return pci.get_region_info(caller, arg);
      case uapi::kVfioDeviceGetIrqInfo:
        return pci.get_irq_info(caller, arg);
      case uapi::kVfioDeviceSetIrqs:
        return pci.set_irqs(caller, arg);
      case uapi::kVfioDeviceReset:
        return pci.device_reset();
      case uapi::kVfioDeviceGetPciHotResetInfo:
        return hot_reset_info(registry_, *this, caller, arg);
      case uapi::kVfioDevicePciHotReset:
        return hot_reset(registry_, *this, caller, arg);
      case uapi::kVfioDeviceFeature:
        return pci.feature(caller, arg);
      default:
        return -ENOTTY;  // also IOEVENTFD, which serves virtual machines only
    }
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

}  // namespace iommusim::vfio
