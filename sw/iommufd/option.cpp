// SPDX-License-Identifier: Apache-2.0
// OPTION (uapi 8.1): large pages of an address space.
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"
#include "iommufd/ioas.h"

namespace iommusim::iommufd {
namespace {

int huge_pages_option(Call& call, uapi::IommuOption& argument) {
  Ioas* const ioas = call.hold<Ioas>(argument.object_id);
  if (!ioas) return ENOENT;
  switch (argument.op) {
    case uapi::kIommuOptionOpGet:
      argument.val64 = ioas->space().huge_pages() ? 1 : 0;
      return 0;
    case uapi::kIommuOptionOpSet:
      return argument.val64 <= 1 ? ioas->space().set_huge_pages(argument.val64 == 1) : EINVAL;
    default:
      return EOPNOTSUPP;
  }
}

}  // namespace

int handle(Call& call, uapi::IommuOption& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  return argument.option_id == uapi::kIommuOptionHugePages ? huge_pages_option(call, argument) : EOPNOTSUPP;
}

}  // namespace iommusim::iommufd
