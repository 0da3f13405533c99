// SPDX-License-Identifier: Apache-2.0
// Life of a mock device.
#include "selftest/mock_device_object.h"

#include "iommufd/device.h"

namespace iommusim::selftest {

MockDeviceObject::MockDeviceObject(iommufd::Context& context, drivers::MockIommu& iommu,
                                   const drivers::MockDeviceOptions& options)
    : Object(kType), context_(context), iommu_(iommu), hardware_(iommu.add_lone_device(options)) {}

MockDeviceObject::~MockDeviceObject() {
  if (device_id_ != 0) {
    (void)iommufd::device_detach(context_, device_id_);
    (void)iommufd::device_unbind(context_, device_id_);
  }
  iommu_.remove_device(hardware_);
}

int MockDeviceObject::bind_to(iommufd::Context& context) {
  return iommufd::device_bind(context, hardware_, device_id_, false);
}

}  // namespace iommusim::selftest
