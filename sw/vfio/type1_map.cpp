// SPDX-License-Identifier: Apache-2.0
// IOMMU_MAP_DMA and IOMMU_UNMAP_DMA of a container.
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/compat_ioas.h"
#include "iommufd/map_user.h"
#include "uapi/vfio.h"
#include "vfio/type1.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {

int type1_map(iommufd::Context& context, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioIommuType1DmaMap argument{};
  if (const int error = copy_in(caller, argument, arg)) return error;
  constexpr std::uint32_t kFlags = uapi::kVfioDmaMapRead | uapi::kVfioDmaMapWrite;
  if (argument.argsz < sizeof argument || (argument.flags & ~kFlags) != 0) return -EINVAL;
  const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(context);
  if (!ioas) return -ENODEV;
  iommufd::MapUser map{argument.vaddr, argument.size, 0, true, argument.iova};
  if ((argument.flags & uapi::kVfioDmaMapRead) != 0) map.prot |= domain::kRead;
  if ((argument.flags & uapi::kVfioDmaMapWrite) != 0) map.prot |= domain::kWrite;
  iommufd::Call call(context, caller);
  if (const int error = iommufd::map_user(call, *ioas, map)) return -error;
  call.commit();
  return 0;
}

int type1_unmap(iommufd::Context& context, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioIommuType1DmaUnmap argument{};
  if (const int error = copy_in(caller, argument, arg)) return error;
  // The dirty bitmap of the original type1 driver is not there (R11.5).
  if (argument.argsz < sizeof argument || (argument.flags & ~uapi::kVfioDmaUnmapAll) != 0) return -EINVAL;
  const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(context);
  if (!ioas) return -ENODEV;
  pagetable::IoPagetable& space = ioas->space();
  std::uint64_t removed = 0;
  int error = 0;
  if ((argument.flags & uapi::kVfioDmaUnmapAll) != 0) {
    if (argument.iova != 0 || argument.size != 0) return -EINVAL;
    error = space.unmap({0, pagetable::kMaxAddress}, removed);
  } else {
    const pagetable::Interval range{argument.iova, argument.iova + (argument.size - 1)};
    const bool sane = argument.size != 0 && range.last >= range.start;
    if (sane && !space.huge_pages())
      if (const int cut = space.cut(range)) return -cut;
    if (argument.size == 0)
      error = EINVAL;
    else
      error = sane ? space.unmap(range, removed) : EOVERFLOW;
  }
  argument.size = removed;
  const std::uint64_t at = arg + offsetof(uapi::VfioIommuType1DmaUnmap, size);
  if (const int fault = copy_out(caller, at, &argument.size, sizeof argument.size)) return fault;
  return -error;
}

}  // namespace iommusim::vfio
