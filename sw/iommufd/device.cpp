// SPDX-License-Identifier: Apache-2.0
// Binding a device to a context. Attaching is in attach.cpp.
#include "iommufd/device.h"

#include <cerrno>

#include "iommufd/no_memory.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {

Device::Device(Context& context, bool keeps, domain::Device& hardware, std::shared_ptr<DeviceGroup> group)
    : Object(kType),
      context_(context),
      keep_(keeps ? context.shared_from_this() : nullptr),
      hardware_(hardware),
      group_(std::move(group)) {}

Device::~Device() { group_->remove(hardware_); }

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
  return context.objects().remove_owned(device_id, Device::kType);
}

}  // namespace iommusim::iommufd
