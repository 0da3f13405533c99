// SPDX-License-Identifier: Apache-2.0
// The rows of uapi/ioctls.def as data: for dispatch, for records of a run, for documentation.
#pragma once

#include <cstdint>
#include <iterator>

#include "uapi/iommufd.h"
#include "uapi/iommufd_hwpt.h"
#include "uapi/iommufd_viommu.h"

namespace iommusim::uapi {

/// What is copied back to user space on success.
enum class Reply { kNothing, kStruct, kValueOnly };

struct IoctlRow {
  std::uint32_t command;  ///< the whole number that a program passes
  const char* name;
  const char* struct_name;
  std::uint32_t struct_size;
  std::uint32_t min_size;
  Reply reply;
  const char* help;
};

inline constexpr std::uint32_t kIommuFirstNr = 0x80;
inline constexpr std::uint32_t kIommuLastNr = 0x94;  ///< of the ABI; a number in between without a row is an empty slot

inline constexpr IoctlRow kIommuIoctls[] = {
#define IOMMUSIM_IOCTL(nr, Name, Struct, min_size, reply, help) \
  {iommu_command(nr), #Name, #Struct, sizeof(Struct), min_size, Reply::reply, help},
#include "uapi/ioctls.def"
#undef IOMMUSIM_IOCTL
};

#define IOMMUSIM_IOCTL(nr, Name, Struct, min_size, reply, help) \
  inline constexpr std::uint32_t kIommu##Name = iommu_command(nr);
#include "uapi/ioctls.def"
#undef IOMMUSIM_IOCTL

static_assert(kIommuDestroy == 0x3B80 && kIommuIoasMap == 0x3B85);

/// The row of a command, or nullptr.
constexpr const IoctlRow* find_iommu_ioctl(std::uint32_t command) {
  for (const IoctlRow& row : kIommuIoctls)
    if (row.command == command) return &row;
  return nullptr;
}

}  // namespace iommusim::uapi
