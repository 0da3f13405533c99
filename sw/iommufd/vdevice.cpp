// SPDX-License-Identifier: Apache-2.0
// VDEVICE_ALLOC (uapi 7.2).
#include "iommufd/vdevice.h"

#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {

Vdevice::~Vdevice() {
  if (known_to_viommu_) viommu_->remove_vdevice(*this);
  viommu_.drop();
  if (known_to_device_) device_.drop_vdevice();  // last: the device may go from here on
}

int Vdevice::link() {
  if (const int error = device_.set_vdevice(*this)) return error;
  known_to_device_ = true;
  if (const int error = viommu_->add_vdevice(*this)) return error;
  known_to_viommu_ = true;
  return 0;
}

int handle(Call& call, uapi::IommuVdeviceAlloc& argument) {
  Viommu* const viommu = call.hold<Viommu>(argument.viommu_id);
  if (!viommu) return ENOENT;
  Device* const device = call.hold<Device>(argument.dev_id);
  if (!device) return ENOENT;
  if (device->hardware().iommu_instance() != viommu->instance()) return EINVAL;
  Vdevice& vdevice =
      call.create(std::make_unique<Vdevice>(call.context().objects().add_users(*viommu), *device, argument.virt_id));
  if (const int error = vdevice.link()) return error;
  argument.out_vdevice_id = vdevice.id();
  return 0;
}

}  // namespace iommusim::iommufd
