// SPDX-License-Identifier: Apache-2.0
// Attach, replace and detach of a bound device: which page table it gets. A page table by its id is taken as it is; for
// an IOAS the automatic page tables that exist are tried in order of creation, then a new one is made (R4.4).
// References to the old page table are dropped at the very end, without any lock, because that may remove it.
#include <cerrno>
#include <mutex>
#include <optional>

#include "iommufd/device.h"
#include "iommufd/no_memory.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {
namespace {

enum class Change { kAttach, kReplace };

int change_to(Device& device, std::uint32_t pasid, UsersRef<Hwpt> hwpt, Change change, UsersRef<Hwpt>& old) {
  return change == Change::kAttach ? device.group().attach(device, pasid, std::move(hwpt))
                                   : device.group().replace(device, pasid, std::move(hwpt), old);
}

// R5.6
void drop_hwpt(ObjectTable& objects, UsersRef<Hwpt> hwpt) {
  if (hwpt && hwpt->type() == ObjectType::kHwptPaging && hwpt->paging().automatic())
    objects.drop_or_remove(std::move(hwpt));
}

// A device that had none is attached to the new page table while that is still empty, as Linux does, because a driver
// may settle its properties only then; one that moves must find its mappings complete.
int change_to_new(Device& device, std::uint32_t pasid, HwptPaging& hwpt, Change change, UsersRef<Hwpt>& old) {
  UsersRef<Hwpt> ref = device.context().objects().add_users<Hwpt>(hwpt);
  if (change == Change::kReplace) {
    const int error = hwpt.join_ioas_locked();
    return error ? error : device.group().replace(device, pasid, std::move(ref), old);
  }
  if (const int error = device.group().attach(device, pasid, std::move(ref))) return error;
  pagetable::Undo detach([&] { device.group().detach(device, pasid); });
  if (const int error = hwpt.join_ioas_locked()) return error;
  detach.keep();
  return 0;
}

int change_to_ioas(Device& device, std::uint32_t pasid, Ioas& ioas, Change change, ObjectId& pt_id,
                   UsersRef<Hwpt>& old) {
  ObjectTable& objects = device.context().objects();
  std::optional<Reservation> made;  // taken back, if need be, after the mutex is let go
  const std::lock_guard guard(ioas.mutex());
  for (HwptPaging* hwpt : ioas.hwpts_locked()) {
    if (!hwpt->automatic()) continue;
    CallHold<Hwpt> hold = objects.try_hold<Hwpt>(*hwpt);
    if (!hold) continue;
    const ObjectId id = hwpt->id();
    const int error = change_to(device, pasid, to_users(std::move(hold)), change, old);
    if (error == EINVAL) continue;
    if (!error) pt_id = id;
    return error;
  }
  std::unique_ptr<HwptPaging> hwpt;
  if (const int error = make_hwpt(device.hardware(), objects.add_users(ioas), true, {}, hwpt)) return error;
  HwptPaging& fresh = *hwpt;
  made.emplace(objects.reserve(std::move(hwpt)));
  if (const int error = change_to_new(device, pasid, fresh, change, old)) return error;
  pt_id = made->id();
  made->publish();
  return 0;
}

int change_device(Context& context, ObjectId device_id, std::uint32_t pasid, ObjectId& pt_id, Change change) {
  ObjectTable& objects = context.objects();
  const CallHold<Device> device = objects.hold<Device>(device_id);
  if (!device) return ENOENT;
  CallHold<Object> pt = objects.hold_any(pt_id);
  if (!pt) return ENOENT;
  UsersRef<Hwpt> old;
  int error = EINVAL;
  if (pt->type() == ObjectType::kHwptPaging || pt->type() == ObjectType::kHwptNested)
    error = change_to(*device, pasid, to_users(narrow<Hwpt>(std::move(pt))), change, old);
  else if (pt->type() == ObjectType::kIoas)
    error = change_to_ioas(*device, pasid, static_cast<Ioas&>(*pt), change, pt_id, old);
  drop_hwpt(objects, std::move(old));
  return error;
}

}  // namespace

int device_attach(Context& context, ObjectId device_id, ObjectId& pt_id, std::uint32_t pasid) {
  return or_enomem([&] { return change_device(context, device_id, pasid, pt_id, Change::kAttach); });
}

int device_replace(Context& context, ObjectId device_id, ObjectId& pt_id, std::uint32_t pasid) {
  return or_enomem([&] { return change_device(context, device_id, pasid, pt_id, Change::kReplace); });
}

int device_detach(Context& context, ObjectId device_id, std::uint32_t pasid) {
  ObjectTable& objects = context.objects();
  const CallHold<Device> device = objects.hold<Device>(device_id);
  if (!device) return ENOENT;
  drop_hwpt(objects, device->group().detach(*device, pasid));
  return 0;
}

ObjectId device_attached_to(Context& context, ObjectId device_id, std::uint32_t pasid) {
  const CallHold<Device> device = context.objects().hold<Device>(device_id);
  return device ? device->group().attached_to(*device, pasid) : 0;
}

int device_show_doorbell(Context& context, ObjectId device_id, std::uint64_t doorbell, std::uint64_t& iova_out) {
  const CallHold<Device> device = context.objects().hold<Device>(device_id);
  if (!device) return ENOENT;
  return or_enomem([&] { return device->group().show_doorbell(*device, doorbell, iova_out); });
}

}  // namespace iommusim::iommufd
