// SPDX-License-Identifier: Apache-2.0
// Who is on a bus, whether the caller has them all, and their reset.
#include "vfio/hot_reset.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "uapi/vfio.h"
#include "vfio/device_file.h"
#include "vfio/registry.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {
namespace {

std::vector<Device*> devices_on_bus_of(Registry& registry, Device& device) {
  std::vector<Device*> found;
  for (const auto& other : registry.devices())
    if (other->pci().address().on_same_bus(device.pci().address())) found.push_back(other.get());
  return found;
}

std::shared_ptr<iommufd::Context> context_of(Device& device) {
  iommufd::ObjectId id = 0;
  return device.owner(id);
}

// The id in the caller's context, or what stands for it.
std::uint32_t device_id_for(Device& device, const std::shared_ptr<iommufd::Context>& context) {
  iommufd::ObjectId id = 0;
  if (device.owner(id) == context) return id;
  for (Device* const sibling : device.group().members())
    if (context_of(*sibling) == context) return uapi::kVfioDevIdOwned;
  return uapi::kVfioDevIdNotOwned;
}

/// The groups that the caller has open, by descriptors. EFAULT, EBADF, EINVAL.
int read_groups(hal::Process& caller, std::uint64_t user_va, std::uint32_t count, std::set<Group*>& out) {
  hal::Files* const files = caller.files();
  if (!files) return -EBADF;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::int32_t fd = -1;
    if (const int error = copy_in(caller, fd, user_va + 4ULL * i)) return error;
    std::shared_ptr<hal::File> file;
    if (const int error = files->find(fd, file)) return error;
    auto* const group = dynamic_cast<GroupFile*>(file.get());
    if (!group) return -EINVAL;
    out.insert(&group->group());
  }
  return 0;
}

}  // namespace

int hot_reset_info(Registry& registry, DeviceFile& file, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioPciHotReset head{};
  if (const int error = copy_in(caller, head, arg)) return error;
  if (head.argsz < sizeof head) return -EINVAL;
  if (file.device().pci().address().bus == 0) return -ENODEV;
  const bool by_id = !file.through_group();
  const std::shared_ptr<iommufd::Context> context = context_of(file.device());
  std::vector<uapi::VfioPciDependentDevice> list;
  bool owns_all = true;
  for (Device* const device : devices_on_bus_of(registry, file.device())) {
    const PciAddress& at = device->pci().address();
    const std::uint32_t id = by_id ? device_id_for(*device, context) : device->group().number();
    if (by_id && id == uapi::kVfioDevIdNotOwned) owns_all = false;
    list.push_back({id, at.segment, at.bus, at.devfn});
  }
  const bool fits = (head.argsz - sizeof head) / sizeof list[0] >= list.size();
  head.flags = !by_id ? 0U : uapi::kVfioHotResetDevId | (owns_all ? uapi::kVfioHotResetDevIdOwned : 0U);
  head.count = static_cast<std::uint32_t>(list.size());
  if (const int error = copy_out(caller, arg, &head, sizeof head)) return error;
  if (!fits) return -ENOSPC;
  return copy_out(caller, arg + sizeof head, list.data(), list.size() * sizeof list[0]);
}

int hot_reset(Registry& registry, DeviceFile& file, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioPciHotReset head{};
  if (const int error = copy_in(caller, head, arg)) return error;
  if (head.argsz < sizeof head || head.flags != 0) return -EINVAL;
  // A character device's context tells what its program has; a group's program must show its groups.
  if ((head.count != 0) != file.through_group()) return -EINVAL;
  if (file.device().pci().address().bus == 0) return -ENODEV;
  const std::vector<Device*> list = devices_on_bus_of(registry, file.device());
  if (head.count > list.size() || head.argsz - sizeof head < 4ULL * head.count) return -EINVAL;
  std::set<Group*> groups;
  if (const int error = read_groups(caller, arg + sizeof head, head.count, groups)) return error;
  const std::shared_ptr<iommufd::Context> context = context_of(file.device());
  for (Device* const device : list) {
    const bool owned = file.through_group() ? groups.count(&device->group()) != 0
                                            : device_id_for(*device, context) != uapi::kVfioDevIdNotOwned;
    if (!owned) return -EINVAL;
  }
  for (Device* const device : list) device->pci().reset();
  return 0;
}

}  // namespace iommusim::vfio
