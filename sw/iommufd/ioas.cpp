// SPDX-License-Identifier: Apache-2.0
// IOAS_ALLOC, IOAS_IOVA_RANGES, IOAS_ALLOW_IOVAS (uapi 3.1 to 3.3): checks in the order that a program sees.
#include "iommufd/ioas.h"

#include <algorithm>
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuIoasAlloc& argument) {
  if (argument.flags != 0) return EOPNOTSUPP;
  argument.out_ioas_id = call.create(std::make_unique<Ioas>(call.context().os())).id();
  return 0;
}

int handle(Call& call, uapi::IommuIoasIovaRanges& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
  if (!ioas) return ENOENT;
  const auto ranges = ioas->space().unreserved(argument.out_iova_alignment);
  const auto total = static_cast<std::uint32_t>(ranges.size());
  const std::uint32_t fitting = std::min(total, argument.num_iovas);
  for (std::uint32_t i = 0; i < fitting; ++i) {
    const uapi::IommuIovaRange entry{ranges[i].start, ranges[i].last};
    if (call.caller().copy_to_user(argument.allowed_iovas + i * sizeof entry, &entry, sizeof entry) != 0) return EFAULT;
  }
  argument.num_iovas = total;
  call.reply_even_on_error();
  return fitting < total ? EMSGSIZE : 0;
}

int handle(Call& call, uapi::IommuIoasAllowIovas& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
  if (!ioas) return ENOENT;
  pagetable::AllowedTree list;
  for (std::uint32_t i = 0; i < argument.num_iovas; ++i) {
    uapi::IommuIovaRange entry{};
    if (call.caller().copy_from_user(&entry, argument.allowed_iovas + i * sizeof entry, sizeof entry) != 0)
      return EFAULT;
    if (entry.start >= entry.last) return EINVAL;
    const pagetable::Interval range{entry.start, entry.last};
    if (list.overlaps(range)) return EINVAL;
    list.insert(range, {});
  }
  return ioas->space().allow(std::move(list));
}

}  // namespace iommusim::iommufd
