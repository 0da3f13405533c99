// SPDX-License-Identifier: Apache-2.0
// OPTION (uapi 8.1): large pages of an address space, and who pays for the pages that a context pins.
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

int set_rlimit_mode(Call& call, std::uint64_t value) {
  if (!call.caller().capable(hal::ProcessCapability::kSysResource)) return EPERM;
  int error = EBUSY;
  Context& context = call.context();
  context.objects().if_empty([&] {
    error = value <= 1 ? 0 : EINVAL;
    if (!error) context.set_account(value == 1 ? hal::LockedAccount::kMm : hal::LockedAccount::kUser);
  });
  return error;
}

int rlimit_mode_option(Call& call, uapi::IommuOption& argument) {
  if (argument.object_id != 0) return EOPNOTSUPP;
  switch (argument.op) {
    case uapi::kIommuOptionOpGet:
      argument.val64 = call.context().account() == hal::LockedAccount::kMm ? 1 : 0;
      return 0;
    case uapi::kIommuOptionOpSet:
      return set_rlimit_mode(call, argument.val64);
    default:
      return EOPNOTSUPP;
  }
}

}  // namespace

int handle(Call& call, uapi::IommuOption& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  switch (argument.option_id) {
    case uapi::kIommuOptionRlimitMode:
      return rlimit_mode_option(call, argument);
    case uapi::kIommuOptionHugePages:
      return huge_pages_option(call, argument);
    default:
      return EOPNOTSUPP;
  }
}

}  // namespace iommusim::iommufd
