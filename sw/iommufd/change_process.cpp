// SPDX-License-Identifier: Apache-2.0
// IOAS_CHANGE_PROCESS (uapi 8.2): who pays for the file mappings of a context.
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"
#include "iommufd/ioas.h"
#include "pagetable/payer.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuIoasChangeProcess& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  const std::vector<CallHold<Ioas>> all = call.context().objects().hold_all<Ioas>();
  std::vector<pagetable::IoPagetable*> spaces;
  spaces.reserve(all.size());
  for (const CallHold<Ioas>& ioas : all) spaces.push_back(&ioas->space());
  return pagetable::change_payer(spaces, call.caller());
}

}  // namespace iommusim::iommufd
