// SPDX-License-Identifier: Apache-2.0
// GET_HW_INFO (uapi 5).
#include <algorithm>
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/device.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {
namespace {

using domain::Capability;

int clear_user(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes) {
  static constexpr unsigned char kZeros[4096] = {};
  while (bytes > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(bytes, sizeof kZeros);
    if (caller.copy_to_user(user_va, kZeros, part) != 0) return EFAULT;
    user_va += part, bytes -= part;
  }
  return 0;
}

}  // namespace

int handle(Call& call, uapi::IommuGetHwInfo& argument) {
  if ((argument.flags & ~uapi::kIommuHwInfoInputType) != 0) return EOPNOTSUPP;
  if (argument.reserved[0] != 0 || argument.reserved[1] != 0 || argument.reserved[2] != 0) return EOPNOTSUPP;
  Device* const device = call.hold<Device>(argument.dev_id);
  if (!device) return ENOENT;
  domain::Device& hardware = device->hardware();
  domain::HwInfo info;
  const bool wants_type = (argument.flags & uapi::kIommuHwInfoInputType) != 0;
  if (const int error = hardware.hw_info(wants_type ? argument.data_type : 0, info)) return error;
  const auto known = static_cast<std::uint32_t>(info.data.size());
  const std::uint32_t copied = std::min(known, argument.data_len);
  if (copied != 0 && call.caller().copy_to_user(argument.data_uptr, info.data.data(), copied) != 0) return EFAULT;
  if (const int error = clear_user(call.caller(), argument.data_uptr + copied, argument.data_len - copied))
    return error;
  argument.data_len = known;
  argument.data_type = info.type;
  argument.out_max_pasid_log2 = static_cast<std::uint8_t>(hardware.pasid_width());
  argument.out_capabilities = 0;
  if (hardware.capable(Capability::kDirtyTracking)) argument.out_capabilities |= uapi::kIommuHwCapDirtyTracking;
  if (hardware.capable(Capability::kPasidExecute)) argument.out_capabilities |= uapi::kIommuHwCapPasidExecute;
  if (hardware.capable(Capability::kPasidPrivileged)) argument.out_capabilities |= uapi::kIommuHwCapPasidPrivileged;
  return 0;
}

}  // namespace iommusim::iommufd
