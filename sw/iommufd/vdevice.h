// SPDX-License-Identifier: Apache-2.0
// The link between a vIOMMU, a device and the number by which the guest knows the device (R10.2). Holds `users` of the
// vIOMMU. Ends by DESTROY, or by the unbind of the device; its id is a tombstone then.
#pragma once

#include <cstdint>

#include "iommufd/device.h"
#include "iommufd/viommu.h"

namespace iommusim::iommufd {

class Vdevice final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kVdevice;

  Vdevice(UsersRef<Viommu> viommu, Device& device, std::uint64_t virtual_id)
      : Object(kType), viommu_(std::move(viommu)), device_(device), virtual_id_(virtual_id) {}
  ~Vdevice() override;

  /// Makes both ends know of it. ENOENT, EEXIST, or what the driver says.
  int link();
  Device& device() { return device_; }
  std::uint64_t virtual_id() const { return virtual_id_; }

 private:
  UsersRef<Viommu> viommu_;
  Device& device_;
  const std::uint64_t virtual_id_;
  bool known_to_device_ = false;
  bool known_to_viommu_ = false;
};

}  // namespace iommusim::iommufd
