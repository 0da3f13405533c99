// SPDX-License-Identifier: Apache-2.0
// Attachment of a group: reservations of its devices in the address space, then the hardware, then the references;
// backwards on failure.
#include "iommufd/device_group.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {
namespace {

// R5.4: the device's regions must stay free of mappings while it uses the address space.
int reserve_regions(HwptPaging& hwpt, domain::Device& device) {
  pagetable::IoPagetable& space = hwpt.ioas().space();
  pagetable::Undo drop([&] { space.unreserve(&device); });
  for (const domain::ReservedRegion& region : device.reserved_regions()) {
    if (region.kind == domain::ReservedRegion::Kind::kDirectRelaxable) continue;
    if (const int error = space.reserve({region.start, region.last}, &device)) return error;
  }
  drop.keep();
  return 0;
}

}  // namespace

DeviceGroup::DeviceGroup(Host& host, domain::Group& group) : host_(host), group_(group), lock_(host.os.make_mutex()) {}

DeviceGroup::~DeviceGroup() { host_.ownership.release(group_); }

int DeviceGroup::add(domain::Device& device) {
  const std::lock_guard guard(*lock_);
  if (std::find(bound_.begin(), bound_.end(), &device) != bound_.end()) return EBUSY;
  bound_.push_back(&device);
  attached_.reserve(bound_.size());  // so that nothing later needs memory for it
  return 0;
}

void DeviceGroup::remove(domain::Device& device) noexcept {
  const std::lock_guard guard(*lock_);
  hal::ensure(!find_locked(device), "an attached device is unbound");  // R5.8
  bound_.erase(std::remove(bound_.begin(), bound_.end(), &device), bound_.end());
}

DeviceGroup::Attachment* DeviceGroup::find_locked(const domain::Device& device) {
  for (Attachment& attachment : attached_)
    if (attachment.device == &device) return &attachment;
  return nullptr;
}

// The whole group, whether bound or not: hardware cannot tell its members apart.
int DeviceGroup::program_locked(HwptPaging& to) {
  HwptPaging* const from = attached_.empty() ? nullptr : attached_.front().hwpt.get();
  auto next = group_.devices.begin();
  pagetable::Undo back([&] {
    while (next != group_.devices.begin()) {
      --next;
      if (!from)
        (*next)->block();
      else
        hal::ensure((*next)->attach(from->domain()) == 0, "a device cannot return to the page table it came from");
    }
  });
  for (; next != group_.devices.end(); ++next)
    if (const int error = (*next)->attach(to.domain())) return error;
  back.keep();
  return 0;
}

int DeviceGroup::attach(domain::Device& device, UsersRef<HwptPaging> hwpt) {
  const std::lock_guard guard(*lock_);
  if (find_locked(device)) return EBUSY;
  if (!attached_.empty() && attached_.front().hwpt.get() != hwpt.get()) return EINVAL;
  if (const int error = reserve_regions(*hwpt, device)) return error;
  pagetable::Undo drop([&] { hwpt->ioas().space().unreserve(&device); });
  if (attached_.empty())
    if (const int error = program_locked(*hwpt)) return error;
  drop.keep();
  attached_.push_back({&device, std::move(hwpt)});
  return 0;
}

int DeviceGroup::reserve_for_attached_locked(HwptPaging& to) {
  auto next = attached_.begin();
  pagetable::Undo drop([&] {
    while (next != attached_.begin()) to.ioas().space().unreserve((--next)->device);
  });
  for (; next != attached_.end(); ++next)
    if (const int error = reserve_regions(to, *next->device)) return error;
  drop.keep();
  return 0;
}

// R5.5: new reservations first, old ones last, and in between the one step that hardware sees.
int DeviceGroup::replace(domain::Device& device, UsersRef<HwptPaging> hwpt, UsersRef<HwptPaging>& old) {
  const std::lock_guard guard(*lock_);
  if (!find_locked(device)) return EINVAL;
  HwptPaging& from = *attached_.front().hwpt;
  if (hwpt.get() == &from) return 0;
  const bool other_space = &hwpt->ioas() != &from.ioas();
  if (other_space)
    if (const int error = reserve_for_attached_locked(*hwpt)) return error;
  pagetable::Undo drop([&] {
    if (!other_space) return;
    for (const Attachment& attachment : attached_) hwpt->ioas().space().unreserve(attachment.device);
  });
  if (const int error = program_locked(*hwpt)) return error;
  drop.keep();
  if (other_space)
    for (const Attachment& attachment : attached_) from.ioas().space().unreserve(attachment.device);
  for (Attachment& attachment : attached_) {
    old = std::move(attachment.hwpt);  // all but the last are dropped here, and are not the last ones of `from`
    attachment.hwpt = hwpt.again();
  }
  return 0;
}

UsersRef<HwptPaging> DeviceGroup::detach(domain::Device& device) {
  const std::lock_guard guard(*lock_);
  Attachment* const attachment = find_locked(device);
  if (!attachment) return {};
  UsersRef<HwptPaging> hwpt = std::move(attachment->hwpt);
  attached_.erase(attached_.begin() + (attachment - attached_.data()));
  if (attached_.empty())
    for (domain::Device* member : group_.devices) member->block();  // R5.7
  hwpt->ioas().space().unreserve(&device);
  return hwpt;
}

}  // namespace iommusim::iommufd
