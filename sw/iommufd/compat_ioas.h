// SPDX-License-Identifier: Apache-2.0
// The address space that the calls of a VFIO container work on (R11.1): chosen by VFIO_IOAS, or made when the first
// group joins the context.
#pragma once

#include "iommufd/context.h"
#include "iommufd/ioas.h"

namespace iommusim::iommufd {

/// Makes one and chooses it, if there is none. 0, ENOMEM.
int compat_ioas_create(Context& context);
/// Empty when there is none.
CallHold<Ioas> compat_ioas_hold(Context& context);

}  // namespace iommusim::iommufd
