// SPDX-License-Identifier: Apache-2.0
// The calls on a group (uapi 12), and its exclusion with character devices.
#include "vfio/group.h"

#include <cerrno>
#include <mutex>
#include <new>

#include "iommufd/compat_ioas.h"
#include "iommufd/context_file.h"
#include "uapi/vfio.h"
#include "vfio/device.h"
#include "vfio/device_file.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {

Group::Group(iommufd::Host& host, Registry& registry, domain::Group& hardware)
    : host_(host), registry_(registry), hardware_(hardware), lock_(host.os.make_mutex()) {}

Device* Group::find(const std::string& name) {
  for (Device* const device : members_)
    if (device->name() == name) return device;
  return nullptr;
}

bool Group::block() {
  const std::lock_guard guard(*lock_);
  if (open_) return false;
  ++blocked_;
  return true;
}

void Group::unblock() {
  const std::lock_guard guard(*lock_);
  --blocked_;
}

int Group::open(std::shared_ptr<hal::File>& out) {
  const std::lock_guard guard(*lock_);
  if (open_ || blocked_ != 0) return -EBUSY;
  out = std::make_shared<GroupFile>(*this);
  open_ = true;
  return 0;
}

void Group::closed() {
  std::shared_ptr<iommufd::Context> context;  // may end here, without the lock
  const std::lock_guard guard(*lock_);
  context.swap(context_);
  open_ = false;
}

void Group::device_closed() {
  const std::lock_guard guard(*lock_);
  --device_files_;
}

int Group::get_status(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioGroupStatus status{};
  if (const int error = copy_in(caller, status, arg)) return error;
  if (status.argsz < sizeof status) return -EINVAL;
  {
    const std::lock_guard guard(*lock_);
    if (context_)
      status.flags = uapi::kVfioGroupViable | uapi::kVfioGroupContainerSet;
    else
      status.flags = host_.ownership.claimed(hardware_) ? 0U : uapi::kVfioGroupViable;
  }
  return copy_out(caller, arg, &status, sizeof status);
}

int Group::set_container(hal::Process& caller, std::uint64_t arg) {
  std::int32_t fd = -1;
  if (const int error = copy_in(caller, fd, arg)) return error;
  if (fd < 0) return -EINVAL;
  const std::lock_guard guard(*lock_);
  if (context_) return -EINVAL;
  std::shared_ptr<iommufd::Context> context;
  if (const int error = iommufd::find_context(caller, fd, context)) return error;
  if (const int error = iommufd::compat_ioas_create(*context)) return -error;
  context_ = std::move(context);
  return 0;
}

int Group::unset_container() {
  std::shared_ptr<iommufd::Context> context;
  const std::lock_guard guard(*lock_);
  if (!context_) return -EINVAL;
  if (device_files_ != 0) return -EBUSY;
  context.swap(context_);
  return 0;
}

int Group::open_device(hal::Process& caller, std::uint64_t user_va, Device*& out) {
  std::string name;
  for (char c = 1; name.size() < 4096;) {
    if (const int error = copy_in(caller, &c, user_va + name.size(), 1)) return error;
    if (c == 0) break;
    name += c;
  }
  const std::lock_guard guard(*lock_);
  if (!context_) return -EINVAL;
  out = find(name);
  if (!out) return -ENODEV;
  if (const int error = out->open_through_group(context_)) return error;
  ++device_files_;
  return 0;
}

int Group::get_device(hal::Process& caller, std::uint64_t arg, std::shared_ptr<hal::File> file) {
  Device* device = nullptr;
  hal::Files* const files = caller.files();
  if (!files) return -EMFILE;
  if (const int error = open_device(caller, arg, device)) return error;
  int fd = -1;  // from here on the file gives the device back
  const int error = files->install(std::make_shared<DeviceFile>(registry_, *device, std::move(file)), fd);
  return error ? error : fd;
}

std::int64_t GroupFile::ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) {
  try {
    switch (command) {
      case uapi::kVfioGroupGetStatus:
        return group_.get_status(caller, arg);
      case uapi::kVfioGroupSetContainer:
        return group_.set_container(caller, arg);
      case uapi::kVfioGroupUnsetContainer:
        return group_.unset_container();
      case uapi::kVfioGroupGetDeviceFd:
        return group_.get_device(caller, arg, shared_from_this());
      default:
        return -ENOTTY;
    }
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

}  // namespace iommusim::vfio
