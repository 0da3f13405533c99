// SPDX-License-Identifier: Apache-2.0
// A device bound to a context, and what the kernel does with it (R5): these functions are for the VFIO character device
// and other drivers of the kernel, not ioctls. They take the device by id and protect it for the call. Errors are
// positive errno numbers. While bound and not attached, the device's DMA is blocked (R5.9).
#pragma once

#include <memory>

#include "domain/domain.h"
#include "iommufd/context.h"
#include "iommufd/device_group.h"

namespace iommusim::iommufd {

class Device final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kDevice;

  /// `keeps`: the device keeps its context open.
  Device(Context& context, bool keeps, domain::Device& hardware, std::shared_ptr<DeviceGroup> group);
  ~Device() override;

  Context& context() { return context_; }
  domain::Device& hardware() { return hardware_; }
  DeviceGroup& group() { return *group_; }

 private:
  Context& context_;
  const std::shared_ptr<Context> keep_;
  domain::Device& hardware_;
  const std::shared_ptr<DeviceGroup> group_;
};

/// Claims the device's group for the context and gives the device an id. EINVAL (not cache coherent), EPERM (its
/// interrupts are not isolated), EBUSY (the group is somebody else's, or this device is bound already), ENOMEM.
/// Unless `keeps_context`, the context may end before the device, and an object in it must unbind it then.
int device_bind(Context& context, domain::Device& hardware, ObjectId& id_out, bool keeps_context = true);
/// The device must be detached. Waits for calls that use it. ENOENT.
int device_unbind(Context& context, ObjectId device_id);

/// Translates the device's DMA by `pt_id`, an IOAS (an automatic page table is found or made) or a paging page table;
/// on success `pt_id` is the id of the page table. ENOENT, EINVAL, EBUSY (is attached), EADDRINUSE, ENOMEM, EFAULT.
int device_attach(Context& context, ObjectId device_id, ObjectId& pt_id);
/// As device_attach(), for a device that is attached (else EINVAL); all devices of its group move. On error the old
/// page table serves on.
int device_replace(Context& context, ObjectId device_id, ObjectId& pt_id);
/// Blocks the device's DMA. Nothing to do if it is not attached. ENOENT.
int device_detach(Context& context, ObjectId device_id);

}  // namespace iommusim::iommufd
