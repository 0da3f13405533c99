// SPDX-License-Identifier: Apache-2.0
// A command queue in guest memory that hardware reads by itself, as an object (R10.5). Its memory is pinned and its
// areas are locked by an access of its own, which has the next id and which a program cannot destroy. Holds `users` of
// the vIOMMU, and of an earlier queue that it depends on.
#pragma once

#include <memory>

#include "iommufd/access.h"
#include "iommufd/viommu.h"

namespace iommusim::iommufd {

class HwQueue final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kHwQueue;

  explicit HwQueue(UsersRef<Viommu> viommu) : Object(kType), viommu_(std::move(viommu)) {}
  ~HwQueue() override;

  /// The access is in the table, and ends with the queue from here on.
  void own(Access& access) { access_ = &access; }
  /// Pins the memory and tells where it is. EADDRINUSE, EINVAL, EPERM, ENOENT, ENOMEM; EFAULT: not contiguous.
  int pin(std::uint64_t iova, std::uint64_t length, std::uint64_t& spa_out);
  /// Hands it to the hardware. What the driver says; EIO: a queue that must come first is going away.
  int start(const domain::HwQueueRequest& request);

 private:
  int depend_on_locked(const domain::HwQueue& driver);

  UsersRef<Viommu> viommu_;
  UsersRef<HwQueue> earlier_;
  Access* access_ = nullptr;
  std::uint64_t pinned_iova_ = 0;
  std::uint64_t pinned_bytes_ = 0;  // 0: not pinned
  std::unique_ptr<domain::HwQueue> driver_;
};

}  // namespace iommusim::iommufd
