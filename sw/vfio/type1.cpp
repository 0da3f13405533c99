// SPDX-License-Identifier: Apache-2.0
// The numbers of a container, what it says about itself, and the choice of its mode.
#include "vfio/type1.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "iommufd/compat_ioas.h"
#include "iommufd/hwpt.h"
#include "uapi/vfio.h"

namespace iommusim::vfio {

int Type1::ioctl(iommufd::Context& context, hal::Process& caller, std::uint32_t command, std::uint64_t arg) {
  switch (command) {
    case uapi::kVfioGetApiVersion:
      return static_cast<int>(uapi::kVfioApiVersion);
    case uapi::kVfioCheckExtension:
      return type1_check_extension(context, arg);
    case uapi::kVfioSetIommu:
      return type1_set_iommu(context, arg);
    case uapi::kVfioIommuGetInfo:
      return type1_get_info(context, caller, arg);
    case uapi::kVfioIommuMapDma:
      return type1_map(context, caller, arg);
    case uapi::kVfioIommuUnmapDma:
      return type1_unmap(context, caller, arg);
    default:
      return -ENOTTY;
  }
}

int type1_check_extension(iommufd::Context& context, std::uint64_t extension) {
  switch (extension) {
    case uapi::kVfioType1Iommu:
    case uapi::kVfioType1v2Iommu:
    case uapi::kVfioUnmapAll:
      return 1;
    case uapi::kVfioDmaCcIommu: {
      const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(context);
      if (!ioas) return -ENODEV;
      const std::lock_guard guard(ioas->mutex());
      const auto& hwpts = ioas->hwpts_locked();
      return std::all_of(hwpts.begin(), hwpts.end(), [](const auto* hwpt) { return hwpt->coherent(); }) ? 1 : 0;
    }
    default:
      return 0;
  }
}

int type1_set_iommu(iommufd::Context& context, std::uint64_t type) {
  if (type != uapi::kVfioType1Iommu && type != uapi::kVfioType1v2Iommu) return -EINVAL;
  const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(context);
  if (!ioas) return -ENODEV;
  return type == uapi::kVfioType1Iommu ? -ioas->space().set_huge_pages(false) : 0;
}

}  // namespace iommusim::vfio
