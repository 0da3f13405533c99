// SPDX-License-Identifier: Apache-2.0
// BIND_IOMMUFD, ATTACH_IOMMUFD_PT, DETACH_IOMMUFD_PT (uapi 11.2 to 11.4). Numbers in comments are the rows of the table
// there.
#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/zero_tail.h"
#include "iommufd/context_file.h"
#include "iommufd/device.h"
#include "uapi/vfio.h"
#include "vfio/device.h"
#include "vfio/device_file.h"
#include "vfio/group.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {

int Device::check_token(hal::Process& caller, bool given, std::uint64_t user_va) const {
  std::array<std::uint8_t, 16> token{};
  if (given)
    if (const int error = copy_in(caller, token.data(), user_va, token.size())) return error;
  if (given != options_.token.has_value()) return -EINVAL;
  return given && token != *options_.token ? -EACCES : 0;
}

int Device::bind(DeviceFile& file, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioDeviceBindIommufd argument{};
  if (const int error = copy_in(caller, argument.argsz, arg)) return error;  // 0
  const std::uint32_t argsz = argument.argsz;
  if (argsz < uapi::kVfioBindMinSize) return -EINVAL;  // 1
  if (argsz > sizeof argument)
    if (const int error = hal::check_zero_tail(caller, arg + sizeof argument, argsz - sizeof argument))
      return -error;  // 2
  if (const int error = copy_in(caller, argument, arg, std::min<std::size_t>(argsz, sizeof argument))) return error;
  if (argument.iommufd < 0 || (argument.flags & ~uapi::kVfioBindToken) != 0) return -EINVAL;  // 3
  if (file.through_group()) return -EINVAL;                                                   // 4
  if (!group_.block()) return -EBUSY;                                                         // 5
  const int result = [&]() -> int {
    const std::lock_guard guard(*lock_);
    if (file.granted()) return -EINVAL;  // 6
    const bool token = (argument.flags & uapi::kVfioBindToken) != 0;
    if (const int error = check_token(caller, token, argument.token_uuid_ptr)) return error;  // 7
    std::shared_ptr<iommufd::Context> context;
    if (const int error = iommufd::find_context(caller, argument.iommufd, context)) return error;  // 8, 9
    if (context_) return -EINVAL;                                                                  // 10
    if (const int error = take_locked(context)) return error;                                      // 11 to 14
    const std::uint64_t at = arg + offsetof(uapi::VfioDeviceBindIommufd, out_devid);
    if (const int error = copy_out(caller, at, &id_, sizeof id_)) {
      give_back_locked();
      return error;
    }
    file.grant();
    return 0;
  }();
  if (result != 0) group_.unblock();
  return result;
}

int Device::attach(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioDeviceAttachIommufdPt argument{};
  if (const int error = copy_in(caller, argument.argsz, arg)) return error;
  if (argument.argsz < uapi::kVfioAttachMinSize) return -EINVAL;
  const std::uint32_t argsz = argument.argsz;
  if (const int error = copy_in(caller, argument, arg, uapi::kVfioAttachMinSize)) return error;
  if ((argument.flags & ~uapi::kVfioAttachPasid) != 0) return -EINVAL;
  std::uint32_t pasid = 0;
  if ((argument.flags & uapi::kVfioAttachPasid) != 0) {
    if (!options_.pasid_operations) return -EOPNOTSUPP;
    if (argsz < sizeof argument) return -EINVAL;
    const std::uint64_t at = arg + offsetof(uapi::VfioDeviceAttachIommufdPt, pasid);
    if (const int error = copy_in(caller, pasid, at)) return error;
  }
  const std::lock_guard guard(*lock_);
  if (const int error = attach_locked(argument.pt_id, pasid)) return error;
  const std::uint64_t at = arg + offsetof(uapi::VfioDeviceAttachIommufdPt, pt_id);
  if (const int error = copy_out(caller, at, &argument.pt_id, sizeof argument.pt_id)) {
    detach_locked(pasid);
    return error;
  }
  return 0;
}

int Device::detach(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioDeviceDetachIommufdPt argument{};
  if (const int error = copy_in(caller, argument, arg, uapi::kVfioDetachMinSize)) return error;
  if (argument.argsz < uapi::kVfioDetachMinSize) return -EINVAL;
  if ((argument.flags & ~uapi::kVfioAttachPasid) != 0) return -EINVAL;
  if ((argument.flags & uapi::kVfioAttachPasid) != 0) {
    if (!options_.pasid_operations) return -EOPNOTSUPP;
    if (argument.argsz < sizeof argument) return -EINVAL;
    const std::uint64_t at = arg + offsetof(uapi::VfioDeviceDetachIommufdPt, pasid);
    if (const int error = copy_in(caller, argument.pasid, at)) return error;
  }
  const std::lock_guard guard(*lock_);
  detach_locked(argument.pasid);
  return 0;
}

}  // namespace iommusim::vfio
