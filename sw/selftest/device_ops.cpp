// SPDX-License-Identifier: Apache-2.0
// Mock devices: making them, and moving them between page tables.
#include <cerrno>

#include "iommufd/device.h"
#include "selftest/mock_device_object.h"
#include "selftest/ops.h"
#include "selftest/test_command.h"

namespace iommusim::selftest {
namespace {

using domain::Capability;

drivers::MockDeviceOptions options_of(std::uint32_t flags) {
  drivers::MockDeviceOptions options;
  options.capabilities = {Capability::kCacheCoherency, Capability::kIsolatedMsi, Capability::kPageRequests};
  if ((flags & uapi::kTestDeviceNoDirty) == 0) options.capabilities.insert(Capability::kDirtyTracking);
  if ((flags & uapi::kTestDevicePasid) != 0) {
    options.capabilities.insert(Capability::kPasid);
    options.pasid_width = uapi::kMockPasidWidth;
  }
  return options;
}

int make_device(iommufd::Call& call, Command& command, std::uint32_t flags) {
  auto& made =
      call.create(std::make_unique<MockDeviceObject>(call.context(), TestCommand::of(call).iommu(), options_of(flags)));
  if (const int error = made.bind()) return error;
  iommufd::ObjectId page_table = command.id;
  if (const int error = iommufd::device_attach(call.context(), made.device_id(), page_table)) return error;
  command.mock_domain.out_stdev_id = made.id();
  command.mock_domain.out_hwpt_id = page_table;
  command.mock_domain.out_idev_id = made.device_id();
  return 0;
}

/// By the id of the bound device; null: no such device.
drivers::MockDevice* hardware_of(iommufd::Call& call, iommufd::ObjectId device_id) {
  auto* const device = call.hold<iommufd::Device>(device_id);
  return device ? dynamic_cast<drivers::MockDevice*>(&device->hardware()) : nullptr;
}

}  // namespace

int mock_domain(iommufd::Call& call, Command& command) { return make_device(call, command, 0); }

int mock_domain_flags(iommufd::Call& call, Command& command) {
  constexpr std::uint32_t kKnown = uapi::kTestDeviceNoDirty | uapi::kTestDevicePasid;
  if ((command.mock_domain.dev_flags & ~kKnown) != 0) return EINVAL;
  return make_device(call, command, command.mock_domain.dev_flags);
}

int mock_domain_replace(iommufd::Call& call, Command& command) {
  auto* const device = call.hold<MockDeviceObject>(command.id);
  if (!device) return ENOENT;
  return iommufd::device_replace(call.context(), device->device_id(), command.mock_domain_replace.pt_id);
}

int check_device_cache(iommufd::Call& call, Command& command) {
  drivers::MockDevice* const hardware = hardware_of(call, command.id);
  if (!hardware) return ENOENT;
  const auto& argument = command.check_device_cache;
  if (argument.id >= uapi::kMockWords) return EINVAL;
  return hardware->cache_word(argument.id) == argument.cache ? 0 : EINVAL;
}

// Exactly one request, whatever becomes of it.
int trigger_iopf(iommufd::Call& call, Command& command) {
  const auto& argument = command.trigger_iopf;
  drivers::MockDevice* const hardware = hardware_of(call, argument.dev_id);
  if (!hardware) return ENOENT;
  domain::PageFaultGroup group;
  group.process_valid = argument.pasid != 0;
  group.process_id = argument.pasid;
  group.index = argument.grpid;
  domain::PageFault fault;
  fault.iova = argument.addr;
  fault.read = (argument.perm & 1) != 0;
  fault.write = (argument.perm & 2) != 0;
  fault.execute = (argument.perm & 4) != 0;
  fault.privileged = (argument.perm & 8) != 0;
  fault.more_permissions = argument.perm & ~0xFU;
  group.pages.push_back(fault);
  hardware->request_pages(group);
  return 0;
}

int trigger_vevent(iommufd::Call& call, Command& command) {
  drivers::MockDevice* const hardware = hardware_of(call, command.trigger_vevent.dev_id);
  return hardware ? hardware->report_virtual_event() : ENOENT;
}

int pasid_attach(iommufd::Call& call, Command& command) {
  auto* const device = call.hold<MockDeviceObject>(command.id);
  if (!device) return ENOENT;
  auto& argument = command.pasid_attach;
  const iommufd::ObjectId id = device->device_id();
  const int error = iommufd::device_attach(call.context(), id, argument.pt_id, argument.pasid);
  if (!error)
    call.on_failure([&call, id, pasid = argument.pasid] { (void)iommufd::device_detach(call.context(), id, pasid); });
  return error;
}

int pasid_replace(iommufd::Call& call, Command& command) {
  auto* const device = call.hold<MockDeviceObject>(command.id);
  if (!device) return ENOENT;
  auto& argument = command.pasid_attach;
  return iommufd::device_replace(call.context(), device->device_id(), argument.pt_id, argument.pasid);
}

int pasid_detach(iommufd::Call& call, Command& command) {
  auto* const device = call.hold<MockDeviceObject>(command.id);
  if (!device) return ENOENT;
  (void)iommufd::device_detach(call.context(), device->device_id(), command.pasid_attach.pasid);
  return 0;
}

int pasid_check_hwpt(iommufd::Call& call, Command& command) {
  auto* const device = call.hold<MockDeviceObject>(command.id);
  if (!device) return ENOENT;
  const auto& argument = command.pasid_check;
  const iommufd::ObjectId attached = iommufd::device_attached_to(call.context(), device->device_id(), argument.pasid);
  if (argument.hwpt_id == 0) return attached != 0 ? EINVAL : 0;
  iommufd::CallHold<iommufd::Object> expected = call.context().objects().hold_any(argument.hwpt_id);
  if (!expected) return ENOENT;
  return attached == argument.hwpt_id ? 0 : EINVAL;  // an object of another type is nobody's page table
}

}  // namespace iommusim::selftest
