// SPDX-License-Identifier: Apache-2.0
// Attachment of a group: reservations of its devices in the address space, routes of their page faults, then the
// hardware, then the references; backwards on failure.
#include "iommufd/device_group.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"
#include "iommufd/device.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {
namespace {

using domain::ReservedRegion;

const ReservedRegion* msi_window(const std::vector<ReservedRegion>& regions) {
  for (const ReservedRegion& region : regions)
    if (region.kind == ReservedRegion::Kind::kSoftwareMsi) return &region;
  return nullptr;
}

// R5.4: the device's regions must stay free of mappings while it uses the address space.
int reserve_regions(HwptPaging& hwpt, const domain::Device& device) {
  pagetable::IoPagetable& space = hwpt.ioas().space();
  pagetable::Undo drop([&] { space.unreserve(&device); });
  for (const ReservedRegion& region : device.reserved_regions()) {
    if (region.kind == ReservedRegion::Kind::kDirectRelaxable) continue;
    if (const int error = space.reserve({region.start, region.last}, &device)) return error;
  }
  drop.keep();
  return 0;
}

template <class Members>
auto find_member(Members& members, const Device& device) {
  return std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.device == &device; });
}

}  // namespace

DeviceGroup::DeviceGroup(Context& context, domain::Group& group)
    : context_(context), group_(group), lock_(context.os().make_mutex()) {}

DeviceGroup::~DeviceGroup() { context_.host().ownership.release(group_); }

int DeviceGroup::add(domain::Device& device) {
  const std::lock_guard guard(*lock_);
  if (std::find(bound_.begin(), bound_.end(), &device) != bound_.end()) return EBUSY;
  bound_.push_back(&device);
  return 0;
}

void DeviceGroup::remove(domain::Device& device) noexcept {
  hal::ensure(!is_attached(device), "an attached device is unbound");  // R5.8
  const std::lock_guard guard(*lock_);
  bound_.erase(std::remove(bound_.begin(), bound_.end(), &device), bound_.end());
}

DeviceGroup::Members* DeviceGroup::find_locked(std::uint32_t pasid) {
  const auto at = attached_.find(pasid);
  return at == attached_.end() ? nullptr : &at->second;
}

ObjectId DeviceGroup::attached_to(const Device& device, std::uint32_t pasid) {
  const std::lock_guard guard(*lock_);
  const Members* const members = find_locked(pasid);
  if (!members) return 0;
  const auto member = find_member(*members, device);
  return member == members->end() ? 0 : member->hwpt->id();
}

bool DeviceGroup::is_attached(const domain::Device& device) {
  const std::lock_guard guard(*lock_);
  for (const auto& [pasid, members] : attached_)
    for (const Member& member : members)
      if (&member.device->hardware() == &device) return true;
  return false;
}

// R5.3, and what a page table asks of its devices. A member that joins is held to the same.
int DeviceGroup::check_locked(const Device& device, std::uint32_t pasid, const Hwpt& hwpt) {
  const domain::Device& hardware = device.hardware();
  if (pasid == 0) {
    if (!hwpt.for_pasids() && attached_.upper_bound(0) != attached_.end()) return EINVAL;
  } else {
    if (!hwpt.for_pasids()) return EINVAL;
    const Members* const without = find_locked(0);
    if (without && !without->empty() && !without->front().hwpt->for_pasids()) return EINVAL;
    if (hardware.pasid_width() < 32 && pasid >> hardware.pasid_width() != 0) return EINVAL;
  }
  return hwpt.check_device(hardware);
}

// The whole group, whether bound or not: hardware cannot tell its members apart. A device that sends no PASIDs has no
// part in their attachments.
int DeviceGroup::program_locked(std::uint32_t pasid, Hwpt* from, Hwpt& to) {
  const auto point = [pasid](domain::Device& device, Hwpt& hwpt) {
    if (pasid == 0) return device.attach_any(hwpt.translation());
    return device.pasid_width() == 0 ? 0 : device.attach_pasid(pasid, hwpt.translation());
  };
  auto next = group_.devices.begin();
  pagetable::Undo back([&] {
    while (next != group_.devices.begin()) {
      domain::Device& device = **--next;
      if (from)
        hal::ensure(point(device, *from) == 0, "a device cannot return to the page table it came from");
      else if (pasid == 0)
        device.block();
      else if (device.pasid_width() != 0)
        device.block_pasid(pasid);
    }
  });
  for (; next != group_.devices.end(); ++next)
    if (const int error = point(**next, to)) return error;
  back.keep();
  return 0;
}

void DeviceGroup::block_locked(std::uint32_t pasid) {
  for (domain::Device* device : group_.devices) {
    if (pasid == 0)
      device->block();
    else if (device->pasid_width() != 0)
      device->block_pasid(pasid);
  }
}

int DeviceGroup::attach(Device& device, std::uint32_t pasid, UsersRef<Hwpt> hwpt) {
  const std::lock_guard guard(*lock_);
  if (const Members* const members = find_locked(pasid)) {
    if (find_member(*members, device) != members->end()) return EBUSY;
    if (members->front().hwpt.get() != hwpt.get()) return EINVAL;
  }
  const auto place = attached_.try_emplace(pasid).first;
  pagetable::Undo forget([&] {
    if (place->second.empty()) attached_.erase(place);
  });
  place->second.reserve(place->second.size() + 1);
  const bool first = place->second.empty();
  if (pasid == 0)
    if (const int error = reserve_regions(hwpt->paging(), device.hardware())) return error;
  pagetable::Undo drop([&] {
    if (pasid == 0) hwpt->ioas().space().unreserve(&device.hardware());
  });
  if (const int error = check_locked(device, pasid, *hwpt)) return error;
  if (pasid == 0)
    if (const int error = show_doorbells_locked(device, hwpt->paging())) return error;
  pagetable::Undo unroute([&] {
    device.faults().unroute(pasid);
    device.faults().settle();
    if (hwpt->fault()) hwpt->fault()->answer_all(device, pasid);
  });
  if (const int error = device.faults().route(pasid, *hwpt)) return error;
  if (first)
    if (const int error = program_locked(pasid, nullptr, *hwpt)) return error;
  unroute.keep();
  drop.keep();
  forget.keep();
  place->second.push_back({&device, std::move(hwpt)});
  return 0;
}

int DeviceGroup::reserve_for_locked(const Members& members, HwptPaging& to) {
  auto next = members.begin();
  pagetable::Undo drop([&] {
    while (next != members.begin()) to.ioas().space().unreserve(&(--next)->device->hardware());
  });
  for (; next != members.end(); ++next)
    if (const int error = reserve_regions(to, next->device->hardware())) return error;
  drop.keep();
  return 0;
}

void DeviceGroup::route_back_locked(const Members& members, std::uint32_t pasid, Hwpt& from, Hwpt& to) {
  for (const Member& member : members) {
    hal::ensure(member.device->faults().route(pasid, from) == 0, "page faults cannot return to where they went");
    member.device->faults().settle();
    if (to.fault()) to.fault()->answer_all(*member.device, pasid);
  }
}

// R5.5: new reservations first, old ones last, and in between the one step that hardware sees.
int DeviceGroup::replace(Device& device, std::uint32_t pasid, UsersRef<Hwpt> hwpt, UsersRef<Hwpt>& old) {
  const std::lock_guard guard(*lock_);
  Members* const members = find_locked(pasid);
  if (!members || find_member(*members, device) == members->end()) return EINVAL;
  Hwpt& from = *members->front().hwpt;
  if (hwpt.get() == &from) return 0;
  const bool other_space = pasid == 0 && &hwpt->ioas() != &from.ioas();
  if (other_space)
    if (const int error = reserve_for_locked(*members, hwpt->paging())) return error;
  pagetable::Undo drop([&] {
    if (!other_space) return;
    for (const Member& member : *members) hwpt->ioas().space().unreserve(&member.device->hardware());
  });
  for (const Member& member : *members) {
    if (const int error = check_locked(*member.device, pasid, *hwpt)) return error;
    if (pasid == 0)
      if (const int error = show_doorbells_locked(*member.device, hwpt->paging())) return error;
  }
  pagetable::Undo route_back([&] { route_back_locked(*members, pasid, from, *hwpt); });
  for (const Member& member : *members)
    if (const int error = member.device->faults().route(pasid, *hwpt)) return error;
  if (const int error = program_locked(pasid, &from, *hwpt)) return error;
  route_back.keep();
  drop.keep();
  if (other_space)
    for (const Member& member : *members) from.ioas().space().unreserve(&member.device->hardware());
  for (Member& member : *members) {
    member.device->faults().settle();
    if (from.fault()) from.fault()->answer_all(*member.device, pasid);  // R9.5
    old = std::move(member.hwpt);  // all but the last are dropped here, and are not the last ones of `from`
    member.hwpt = hwpt.again();
  }
  return 0;
}

UsersRef<Hwpt> DeviceGroup::detach(Device& device, std::uint32_t pasid) {
  const std::lock_guard guard(*lock_);
  Members* const members = find_locked(pasid);
  if (!members) return {};
  const auto member = find_member(*members, device);
  if (member == members->end()) return {};
  UsersRef<Hwpt> hwpt = std::move(member->hwpt);
  members->erase(member);
  if (members->empty()) {
    block_locked(pasid);  // R5.7
    attached_.erase(pasid);
  }
  device.faults().unroute(pasid);
  device.faults().settle();
  if (hwpt->fault()) hwpt->fault()->answer_all(device, pasid);  // R9.5
  if (pasid == 0) hwpt->ioas().space().unreserve(&device.hardware());
  return hwpt;
}

int DeviceGroup::show_doorbells_locked(const Device& device, HwptPaging& to) {
  if (doorbells_.empty()) return 0;
  const std::vector<ReservedRegion> regions = device.hardware().reserved_regions();
  const ReservedRegion* const window = msi_window(regions);
  if (!window) return 0;
  std::uint64_t iova = 0;
  for (const std::uint64_t doorbell : doorbells_)
    if (const int error = context_.msi_pages().show(to.domain(), to.msi_shown(), window->start, doorbell, iova))
      return error;
  return 0;
}

int DeviceGroup::show_doorbell(const Device& device, std::uint64_t doorbell, std::uint64_t& iova_out) {
  const std::lock_guard guard(*lock_);
  const std::vector<ReservedRegion> regions = device.hardware().reserved_regions();
  const ReservedRegion* const window = msi_window(regions);
  Members* const members = find_locked(0);
  if (!window || !members || find_member(*members, device) == members->end()) return EINVAL;
  HwptPaging& to = members->front().hwpt->paging();
  if (std::find(doorbells_.begin(), doorbells_.end(), doorbell) == doorbells_.end()) doorbells_.push_back(doorbell);
  return context_.msi_pages().show(to.domain(), to.msi_shown(), window->start, doorbell, iova_out);
}

}  // namespace iommusim::iommufd
