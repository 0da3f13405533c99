// SPDX-License-Identifier: Apache-2.0
// Life of a mock device. A program must detach PASIDs before it destroys one: if it does not, the device stays as it is
// until the end of the context, and the log says so, as the kernel's does.
#include "selftest/mock_device_object.h"

#include <cerrno>
#include <string>

#include "hal/contradiction.h"
#include "iommufd/device.h"

namespace iommusim::selftest {
namespace {

using Bound = MockDeviceObject::Bound;

bool remove(Bound& device) {
  if (device.id != 0) {
    (void)iommufd::device_detach(*device.context, device.id);
    if (!device.hardware->pasids().empty()) return false;
    (void)iommufd::device_unbind(*device.context, device.id);
  }
  device.iommu->remove_device(*device.hardware);
  return true;
}

void remove_with_pasids(Bound& device) {
  for (const std::uint32_t pasid : device.hardware->pasids())
    (void)iommufd::device_detach(*device.context, device.id, pasid);
  hal::ensure(remove(device), "a device that was detached is attached");
}

/// A device that lost its object; goes with the context.
class Leftover final : public iommufd::Object {
 public:
  explicit Leftover(const Bound& device) : Object(MockDeviceObject::kType), device_(device) {}
  ~Leftover() override { remove_with_pasids(device_); }

 private:
  Bound device_;
};

}  // namespace

MockDeviceObject::MockDeviceObject(iommufd::Context& context, drivers::MockIommu& iommu,
                                   const drivers::MockDeviceOptions& options)
    : Object(kType), device_{&context, &iommu, &iommu.add_lone_device(options), 0} {}

MockDeviceObject::~MockDeviceObject() {
  if (remove(device_)) return;
  if (device_.context->weak_from_this().expired()) {  // the context ends
    remove_with_pasids(device_);
    return;
  }
  device_.context->os().log("mock device " + std::to_string(device_.id) + " is destroyed with PASIDs attached");
  device_.context->objects().reserve(std::make_unique<Leftover>(device_)).leave_hidden();
}

int MockDeviceObject::bind() { return iommufd::device_bind(*device_.context, *device_.hardware, device_.id, false); }

}  // namespace iommusim::selftest
