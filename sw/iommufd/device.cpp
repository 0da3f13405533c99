// SPDX-License-Identifier: Apache-2.0
// Binding a device to a context. Attaching is in attach.cpp.
#include "iommufd/device.h"

#include <cerrno>

#include "iommufd/no_memory.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {

Device::Device(std::shared_ptr<Context> context, domain::Device& hardware, std::shared_ptr<DeviceGroup> group)
    : Object(kType), context_(std::move(context)), hardware_(hardware), group_(std::move(group)) {}

Device::~Device() { group_->remove(hardware_); }

int device_bind(Context& context, domain::Device& hardware, ObjectId& id_out) {
  return or_enomem([&]() -> int {
    // uapi 11.2, rows 11 to 14
    if (!hardware.capable(domain::Capability::kCacheCoherency)) return EINVAL;
    if (!hardware.capable(domain::Capability::kIsolatedMsi) && !context.options().allow_unsafe_interrupts) return EPERM;
    std::shared_ptr<DeviceGroup> group;
    if (const int error = context.get_group(hardware.group(), group)) return error;
    if (const int error = group->add(hardware)) return error;
    pagetable::Undo leave([&] { group->remove(hardware); });
    auto device = std::make_unique<Device>(context.shared_from_this(), hardware, group);
    leave.keep();  // the device does it from here on
    Reservation reservation = context.objects().reserve(std::move(device));
    id_out = reservation.id();
    reservation.publish_owned();
    return 0;
  });
}

int device_unbind(Context& context, ObjectId device_id) {
  const std::shared_ptr<Context> keep = context.shared_from_this();  // the device may be the last that keeps it
  return context.objects().remove_owned(device_id, Device::kType);
}

}  // namespace iommusim::iommufd
