// SPDX-License-Identifier: Apache-2.0
// DESTROY (uapi 8.3). The call itself holds nothing: the table finds and removes in one step.
#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuDestroy& argument) { return call.context().objects().destroy(argument.id); }

}  // namespace iommusim::iommufd
