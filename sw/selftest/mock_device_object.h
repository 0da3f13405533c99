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
  int bind();
  iommufd::ObjectId device_id() const { return device_.id; }
  drivers::MockDevice& hardware() { return *device_.hardware; }

  /// The hardware and its bound device.
  struct Bound {
    iommufd::Context* context;
    drivers::MockIommu* iommu;
    drivers::MockDevice* hardware;
    iommufd::ObjectId id;  ///< 0: not bound
  };

 private:
  Bound device_;
};

}  // namespace iommusim::selftest
