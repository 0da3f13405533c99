// SPDX-License-Identifier: Apache-2.0
// Binding a device to a context, and the tie to its vDEVICE. Attaching is in attach.cpp.
#include "iommufd/device.h"

#include <cerrno>
#include <mutex>

#include "iommufd/no_memory.h"
#include "iommufd/vdevice.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {

Device::Device(Context& context, bool keeps, domain::Device& hardware, std::shared_ptr<DeviceGroup> group)
    : Object(kType),
      context_(context),
      keep_(keeps ? context.shared_from_this() : nullptr),
      hardware_(hardware),
      group_(std::move(group)),
      faults_(context.os(), *this),
      vdevice_lock_(context.os().make_mutex()),
      vdevice_gone_(context.os().make_wait_queue()) {}

Device::~Device() { group_->remove(hardware_); }

int Device::set_vdevice(Vdevice& vdevice) {
  const std::lock_guard guard(*vdevice_lock_);
  if (unbinding_) return ENOENT;
  if (vdevice_) return EEXIST;
  vdevice_ = &vdevice;
  return 0;
}

void Device::drop_vdevice() {
  const std::lock_guard guard(*vdevice_lock_);
  vdevice_ = nullptr;
  vdevice_gone_->wake_all();
}

void Device::retire_vdevice() {
  constexpr std::uint64_t kPatienceNs = 100'000;
  ObjectTable& objects = context_.objects();
  std::unique_lock guard(*vdevice_lock_);
  unbinding_ = true;
  while (vdevice_) {
    // Alive under this lock: its destructor takes it. It may be half made, or a program may be about to destroy it.
    if (CallHold<Vdevice> hold = objects.try_hold(*vdevice_)) {
      guard.unlock();
      objects.tombstone(std::move(hold));
      guard.lock();
    } else {
      vdevice_gone_->wait_for(*vdevice_lock_, kPatienceNs);
    }
  }
}

int device_bind(Context& context, domain::Device& hardware, ObjectId& id_out, bool keeps_context) {
  return or_enomem([&]() -> int {
    // uapi 11.2, rows 11 to 14
    if (!hardware.capable(domain::Capability::kCacheCoherency)) return EINVAL;
    if (!hardware.capable(domain::Capability::kIsolatedMsi) && !context.options().allow_unsafe_interrupts) return EPERM;
    std::shared_ptr<DeviceGroup> group;
    if (const int error = context.get_group(hardware.group(), group)) return error;
    if (const int error = group->add(hardware)) return error;
    pagetable::Undo leave([&] { group->remove(hardware); });
    auto device = std::make_unique<Device>(context, keeps_context, hardware, group);
    leave.keep();  // the device does it from here on
    Reservation reservation = context.objects().reserve(std::move(device));
    id_out = reservation.id();
    reservation.publish_owned();
    return 0;
  });
}

int device_unbind(Context& context, ObjectId device_id) {
  // The device may be the last that keeps it; empty at the end of a context.
  const std::shared_ptr<Context> keep = context.weak_from_this().lock();
  {
    const CallHold<Device> device = context.objects().hold<Device>(device_id);
    if (!device) return ENOENT;
    if (device->group().is_attached(device->hardware())) return EBUSY;
    device->retire_vdevice();
  }
  return context.objects().remove_owned(device_id, Device::kType);
}

}  // namespace iommusim::iommufd
