// SPDX-License-Identifier: Apache-2.0
// A mapping of the calling process's memory, without the checks of a particular call's arguments: what IOAS_MAP and a
// container's MAP_DMA have in common (uapi 3.4, rows 5 to 12).
#pragma once

#include <cstdint>

#include "iommufd/call.h"
#include "iommufd/ioas.h"

namespace iommusim::iommufd {

struct MapUser {
  std::uint64_t user_va;
  std::uint64_t length;
  unsigned prot;  ///< domain::Prot; may be none
  bool fixed;
  std::uint64_t iova;  ///< in if fixed; out always
};

/// Real when the call is committed. EOVERFLOW, EINVAL, EEXIST, ENOSPC, EFAULT, ENOMEM, or what a driver says.
int map_user(Call& call, Ioas& ioas, MapUser& map);

}  // namespace iommusim::iommufd
