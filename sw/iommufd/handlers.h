// SPDX-License-Identifier: Apache-2.0
// One handler for each ioctl, chosen by its argument struct. A handler returns 0 or a positive errno, fills the `out`
// fields of its struct, and may throw std::bad_alloc; what it builds goes through the Call. Declared from the list of
// ioctls.
#pragma once

#include "uapi/ioctls.h"

namespace iommusim::iommufd {

class Call;

#define IOMMUSIM_IOCTL(nr, Name, Struct, min_size, reply, help) int handle(Call& call, uapi::Struct& argument);
#include "uapi/ioctls.def"
#undef IOMMUSIM_IOCTL

}  // namespace iommusim::iommufd
