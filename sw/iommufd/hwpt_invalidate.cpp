// SPDX-License-Identifier: Apache-2.0
// HWPT_INVALIDATE (uapi 4.2): what a guest changed in its tables. The count of entries done goes back always (R8.3).
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"
#include "iommufd/hwpt_nested.h"

namespace iommusim::iommufd {
namespace {

int invalidate(Call& call, const uapi::IommuHwptInvalidate& argument, std::uint32_t& done) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  if (argument.entry_num != 0 && (argument.data_uptr == 0 || argument.entry_len == 0)) return EINVAL;
  const CallHold<Object> object = call.context().objects().hold_any(argument.hwpt_id);
  if (!object) return ENOENT;
  const domain::UserArray entries{&call.caller(), argument.data_type, argument.entry_len, argument.entry_num,
                                  argument.data_uptr};
  if (object->type() == ObjectType::kHwptNested) {
    domain::NestedDomain& domain = static_cast<HwptNested*>(object.get())->domain();
    return domain.can_invalidate() ? domain.invalidate(entries, done) : EOPNOTSUPP;
  }
  if (object->type() == ObjectType::kViommu) {
    domain::VirtualIommu& driver = static_cast<Viommu*>(object.get())->driver();  // R8.4
    return driver.can_invalidate() ? driver.invalidate(entries, done) : EOPNOTSUPP;
  }
  return EINVAL;
}

}  // namespace

int handle(Call& call, uapi::IommuHwptInvalidate& argument) {
  call.reply_even_on_error();
  std::uint32_t done = 0;
  const int error = invalidate(call, argument, done);
  argument.entry_num = done;
  return error;
}

}  // namespace iommusim::iommufd
