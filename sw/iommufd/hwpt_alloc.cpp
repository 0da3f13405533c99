// SPDX-License-Identifier: Apache-2.0
// HWPT_ALLOC (uapi 4.1, rows in comments) of a plain paging page table over an IOAS. No driver here offers flags, data
// or nesting, which is what rows 5, 13 and 14 then answer.
#include <cerrno>
#include <mutex>

#include "iommufd/call.h"
#include "iommufd/device.h"
#include "iommufd/handlers.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuHwptAlloc& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;                                                    // 1
  if ((argument.data_type == uapi::kIommuHwptDataNone) != (argument.data_len == 0)) return EINVAL;  // 2
  Device* const device = call.hold<Device>(argument.dev_id);
  if (!device) return ENOENT;  // 3
  const bool plain = argument.flags == 0 && argument.data_type == uapi::kIommuHwptDataNone;
  ObjectTable& objects = call.context().objects();
  CallHold<Ioas> ioas = objects.hold<Ioas>(argument.pt_id);
  if (!ioas) {
    if (!objects.hold<HwptPaging>(argument.pt_id)) return EINVAL;  // 4
    return EOPNOTSUPP;                                             // 13
  }
  if (!plain) return EOPNOTSUPP;  // 5
  std::unique_ptr<HwptPaging> made;
  if (const int error = make_hwpt(device->hardware(), to_users(std::move(ioas)), false, made)) return error;  // 9
  HwptPaging& hwpt = call.create(std::move(made));
  const std::lock_guard guard(hwpt.ioas().mutex());
  if (const int error = hwpt.join_ioas_locked()) return error;  // 10 to 12
  argument.out_hwpt_id = hwpt.id();
  return 0;
}

}  // namespace iommusim::iommufd
