// SPDX-License-Identifier: Apache-2.0
// Where ioctls of /dev/iommu come from besides uapi/ioctls.def: a command of builds for tests, in the table, and the
// numbers outside of the table (uapi 1.3 step 1), which belong to the emulation of a VFIO container. Both are parts
// that a machine may lack; their numbers are ENOTTY then.
#pragma once

#include <cstdint>

#include "hal/process.h"
#include "uapi/ioctls.h"

namespace iommusim::iommufd {

class Call;
class Context;

/// A row of the table. The handler follows the rules of handlers.h; `argument` is row.struct_size bytes, aligned to 8.
struct ExtraIoctl {
  static constexpr std::uint32_t kMaxStruct = 128;
  uapi::IoctlRow row;
  int (*handle)(Call& call, void* argument);
};

class OuterIoctls {
 public:
  virtual ~OuterIoctls() = default;
  /// 0 or more, or a negative errno; ENOTTY for what it does not know. May throw std::bad_alloc.
  virtual int ioctl(Context& context, hal::Process& caller, std::uint32_t command, std::uint64_t user_arg) = 0;
};

}  // namespace iommusim::iommufd
