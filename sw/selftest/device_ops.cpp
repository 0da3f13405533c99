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

}  // namespace iommusim::selftest
