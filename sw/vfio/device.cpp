// SPDX-License-Identifier: Apache-2.0
// Taking a device for a context, attaching it, giving it back.
#include "vfio/device.h"

#include <cerrno>
#include <mutex>

#include "iommufd/compat_ioas.h"
#include "iommufd/device.h"
#include "vfio/group.h"

namespace iommusim::vfio {

Device::Device(unsigned number, iommufd::Host& host, Group& group, const PciAddress& address, PciFunction& function,
               domain::Device& hardware, const std::array<std::uint64_t, 6>& bar_addresses, DeviceOptions options)
    : number_(number),
      group_(group),
      hardware_(hardware),
      options_(options),
      pci_(host.os, address, function, bar_addresses),
      lock_(host.os.make_mutex()) {}

int Device::take_locked(const std::shared_ptr<iommufd::Context>& context) {
  if (const int error = iommufd::device_bind(*context, hardware_, id_)) return -error;
  context_ = context;
  pci_.enable();
  return 0;
}

// The program loses the function first, then the function loses its memory.
void Device::give_back_locked() {
  pci_.disable();
  while (!attached_.empty()) detach_locked(*attached_.rbegin());
  iommufd::device_unbind(*context_, id_);
  id_ = 0;
  context_ = nullptr;
}

int Device::attach_locked(iommufd::ObjectId& pt_id, std::uint32_t pasid) {
  const bool replaces = attached_.count(pasid) != 0;
  const int error = replaces ? iommufd::device_replace(*context_, id_, pt_id, pasid)
                             : iommufd::device_attach(*context_, id_, pt_id, pasid);
  if (!error) attached_.insert(pasid);
  return -error;
}

void Device::detach_locked(std::uint32_t pasid) {
  if (attached_.erase(pasid) != 0) iommufd::device_detach(*context_, id_, pasid);
}

int Device::open_through_group(const std::shared_ptr<iommufd::Context>& context) {
  const std::lock_guard guard(*lock_);
  if (group_files_ == 0) {
    if (const int error = take_locked(context)) return error;
    iommufd::ObjectId pt_id = 0;
    if (const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(*context)) pt_id = ioas->id();
    const int error = pt_id == 0 ? -ENODEV : attach_locked(pt_id, 0);
    if (error) {
      give_back_locked();
      return error;
    }
  }
  ++group_files_;
  return 0;
}

void Device::close_through_group() {
  {
    const std::lock_guard guard(*lock_);
    if (--group_files_ == 0) give_back_locked();
  }
  group_.device_closed();
}

void Device::close_bound() {
  {
    const std::lock_guard guard(*lock_);
    give_back_locked();
  }
  group_.unblock();
}

std::shared_ptr<iommufd::Context> Device::owner(iommufd::ObjectId& id) {
  const std::lock_guard guard(*lock_);
  id = id_;
  return context_;
}

}  // namespace iommusim::vfio
