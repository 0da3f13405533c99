// SPDX-License-Identifier: Apache-2.0
// VFIO_IOAS (uapi 3.8), and the address space that the kernel makes for a container.
#include "iommufd/compat_ioas.h"

#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"
#include "iommufd/no_memory.h"

namespace iommusim::iommufd {

CallHold<Ioas> compat_ioas_hold(Context& context) { return context.objects().hold_compat<Ioas>(); }

int compat_ioas_create(Context& context) {
  return or_enomem([&] {
    if (compat_ioas_hold(context)) return 0;
    // Another thread may be faster: then ours is taken back.
    context.objects().publish_compat(context.objects().reserve(std::make_unique<Ioas>(context.os())));
    return 0;
  });
}

int handle(Call& call, uapi::IommuVfioIoas& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;
  ObjectTable& objects = call.context().objects();
  switch (argument.op) {
    case uapi::kIommuVfioIoasGet: {
      const CallHold<Ioas> ioas = compat_ioas_hold(call.context());
      if (!ioas) return ENODEV;
      argument.ioas_id = ioas->id();
      return 0;
    }
    case uapi::kIommuVfioIoasSet: {
      Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
      if (!ioas) return ENOENT;
      objects.set_compat(ioas);
      return 0;
    }
    case uapi::kIommuVfioIoasClear:
      objects.set_compat(nullptr);
      return 0;
    default:
      return EOPNOTSUPP;
  }
}

}  // namespace iommusim::iommufd
