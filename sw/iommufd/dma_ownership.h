// SPDX-License-Identifier: Apache-2.0
// Who may do DMA with the devices of a group: at most one owner at a time, a context or a driver of the kernel (R5.1).
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::iommufd {

class DmaOwnership {
 public:
  explicit DmaOwnership(hal::Os& os) : lock_(os.make_mutex()) {}

  /// 0, or EBUSY when another owner has the group. The same owner may claim again, and releases as often.
  int claim(const domain::Group& group, const void* owner);
  void release(const domain::Group& group) noexcept;
  bool claimed(const domain::Group& group);

 private:
  struct Claim {
    const void* owner = nullptr;
    std::uint32_t count = 0;
  };
  std::unique_ptr<hal::Mutex> lock_;
  std::map<const domain::Group*, Claim> claims_;  // guarded by lock_
};

}  // namespace iommusim::iommufd
