// SPDX-License-Identifier: Apache-2.0
// A device bound to a context, and what the kernel does with it (R5): these functions are for the VFIO character device
// and other drivers of the kernel, not ioctls. They take the device by id and protect it for the call. Errors are
// positive errno numbers. While bound and not attached, the device's DMA is blocked (R5.9). `pasid` 0 is the attachment
// of requests without a PASID.
#pragma once

#include <memory>

#include "domain/domain.h"
#include "iommufd/context.h"
#include "iommufd/device_group.h"
#include "iommufd/page_fault_router.h"

namespace iommusim::iommufd {

class Vdevice;

class Device final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kDevice;

  /// `keeps`: the device keeps its context open.
  Device(Context& context, bool keeps, domain::Device& hardware, std::shared_ptr<DeviceGroup> group);
  ~Device() override;

  Context& context() { return context_; }
  domain::Device& hardware() const { return hardware_; }
  DeviceGroup& group() { return *group_; }
  PageFaultRouter& faults() { return faults_; }

  /// A guest knows the device through `vdevice`, until drop_vdevice(). ENOENT: it is being unbound. EEXIST: there is
  /// one.
  int set_vdevice(Vdevice& vdevice);
  void drop_vdevice();
  /// The kernel is about to unbind it: no vDEVICE is left on return, and none comes any more (R1.7).
  void retire_vdevice();

 private:
  Context& context_;
  const std::shared_ptr<Context> keep_;
  domain::Device& hardware_;
  const std::shared_ptr<DeviceGroup> group_;
  PageFaultRouter faults_;
  std::unique_ptr<hal::Mutex> vdevice_lock_;  // guards what follows
  std::unique_ptr<hal::WaitQueue> vdevice_gone_;
  Vdevice* vdevice_ = nullptr;
  bool unbinding_ = false;
};

/// Claims the device's group for the context and gives the device an id. EINVAL (not cache coherent), EPERM (its
/// interrupts are not isolated), EBUSY (the group is somebody else's, or this device is bound already), ENOMEM.
/// Unless `keeps_context`, the context may end before the device, and an object in it must unbind it then.
int device_bind(Context& context, domain::Device& hardware, ObjectId& id_out, bool keeps_context = true);
/// Waits for calls that use it. Its vDEVICE becomes a tombstone. ENOENT. EBUSY: it is attached (R5.8).
int device_unbind(Context& context, ObjectId device_id);

/// Translates the device's DMA by `pt_id`, an IOAS (an automatic page table is found or made) or a page table; on
/// success `pt_id` is the id of the page table. ENOENT, EINVAL, EBUSY (is attached), EADDRINUSE, ENOMEM, EFAULT.
int device_attach(Context& context, ObjectId device_id, ObjectId& pt_id, std::uint32_t pasid = 0);
/// As device_attach(), for a device that is attached (else EINVAL); all devices of its group move. On error the old
/// page table serves on.
int device_replace(Context& context, ObjectId device_id, ObjectId& pt_id, std::uint32_t pasid = 0);
/// Blocks the device's DMA. Nothing to do if it is not attached. ENOENT.
int device_detach(Context& context, ObjectId device_id, std::uint32_t pasid = 0);
/// The page table that it is attached to; 0: none, or no such device.
ObjectId device_attached_to(Context& context, ObjectId device_id, std::uint32_t pasid = 0);
/// Where the attached device reaches the interrupt controller's `doorbell`, of a device whose MSIs are translated by a
/// software window. EINVAL: it is not one, or not attached. ENOENT, ENOMEM.
int device_show_doorbell(Context& context, ObjectId device_id, std::uint64_t doorbell, std::uint64_t& iova_out);

}  // namespace iommusim::iommufd
