// SPDX-License-Identifier: Apache-2.0
// The calls of a VFIO type1 container, answered by a context of iommufd: they work on its compat address space (uapi
// 13, R11). Maps are fixed and come from the memory of the calling process; in type 1 mode (large pages off) an unmap
// may cut mappings, in type1v2 it takes whole ones only.
#pragma once

#include "iommufd/context.h"
#include "iommufd/extra_ioctls.h"

namespace iommusim::vfio {

class Type1 final : public iommufd::OuterIoctls {
 public:
  int ioctl(iommufd::Context& context, hal::Process& caller, std::uint32_t command, std::uint64_t arg) override;
};

// 0 or a negative errno.
int type1_check_extension(iommufd::Context& context, std::uint64_t extension);
int type1_set_iommu(iommufd::Context& context, std::uint64_t type);
int type1_get_info(iommufd::Context& context, hal::Process& caller, std::uint64_t arg);
int type1_map(iommufd::Context& context, hal::Process& caller, std::uint64_t arg);
int type1_unmap(iommufd::Context& context, hal::Process& caller, std::uint64_t arg);

}  // namespace iommusim::vfio
