// SPDX-License-Identifier: Apache-2.0
// A mock device as the object that programs get from the test command: its end detaches and unbinds the device and
// takes the hardware away, so DESTROY of its id does all of that. It does not keep its context open.
#pragma once

#include "drivers/mock_device.h"
#include "iommufd/context.h"

namespace iommusim::selftest {

class MockDeviceObject final : public iommufd::Object {
 public:
  static constexpr iommufd::ObjectType kType = iommufd::ObjectType::kSelftest;

  /// New hardware.
  MockDeviceObject(iommufd::Context& context, drivers::MockIommu& iommu, const drivers::MockDeviceOptions& options);
  ~MockDeviceObject() override;

  /// 0, or an errno of device_bind().
  int bind() { return bind_to(context_); }
  iommufd::ObjectId device_id() const { return device_id_; }
  drivers::MockDevice& hardware() { return hardware_; }

 private:
  int bind_to(iommufd::Context& context);

  iommufd::Context& context_;
  drivers::MockIommu& iommu_;
  drivers::MockDevice& hardware_;
  iommufd::ObjectId device_id_ = 0;  ///< 0: not bound
};

}  // namespace iommusim::selftest
