// SPDX-License-Identifier: Apache-2.0
// HWPT_SET_DIRTY_TRACKING and HWPT_GET_DIRTY_BITMAP (uapi 4.3, 4.4): checks in the order that a program sees.
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/dirty_bitmap.h"
#include "iommufd/handlers.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuHwptSetDirtyTracking& argument) {
  if ((argument.flags & ~std::uint32_t{uapi::kIommuHwptDirtyTrackingEnable}) != 0) return EOPNOTSUPP;
  HwptPaging* const hwpt = call.hold<HwptPaging>(argument.hwpt_id);
  if (!hwpt) return ENOENT;
  if (!hwpt->domain().tracks_dirty()) return EOPNOTSUPP;
  return hwpt->ioas().space().track_dirty(hwpt->domain(), (argument.flags & uapi::kIommuHwptDirtyTrackingEnable) != 0);
}

int handle(Call& call, uapi::IommuHwptGetDirtyBitmap& argument) {
  if ((argument.flags & ~std::uint32_t{uapi::kIommuHwptGetDirtyBitmapNoClear}) != 0 || argument.reserved != 0)
    return EOPNOTSUPP;
  HwptPaging* const hwpt = call.hold<HwptPaging>(argument.hwpt_id);
  if (!hwpt) return ENOENT;
  // Length 0 is a wrap but for iova 0, where it means the whole space.
  const pagetable::Interval range{argument.iova, argument.iova + (argument.length - 1)};
  if (range.last < range.start) return EOVERFLOW;
  std::uint64_t alignment = 1;
  pagetable::IoPagetable& space = hwpt->ioas().space();
  (void)space.unreserved(alignment);
  if (range.start % alignment != 0 || (range.last + 1) % alignment != 0) return EINVAL;
  if (argument.page_size == 0) return EINVAL;
  if (range.start % argument.page_size != 0 || (range.last + 1) % argument.page_size != 0) return EINVAL;
  if (!hwpt->domain().tracks_dirty()) return EOPNOTSUPP;
  DirtyBitmap bitmap(call.caller(), argument.data, range, argument.page_size);
  if (const int error = bitmap.check()) return error;
  space.read_dirty(hwpt->domain(), range, (argument.flags & uapi::kIommuHwptGetDirtyBitmapNoClear) == 0, bitmap);
  bitmap.flush();
  return 0;
}

}  // namespace iommusim::iommufd
