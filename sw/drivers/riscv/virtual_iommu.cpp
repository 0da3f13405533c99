// SPDX-License-Identifier: Apache-2.0
#include "drivers/riscv/virtual_iommu.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "drivers/riscv/guest_commands.h"
#include "drivers/riscv/nested_domain.h"
#include "drivers/riscv/riscv_iommu.h"

namespace iommusim::drivers::riscv {

RiscvVirtualIommu::RiscvVirtualIommu(RiscvIommu& iommu, RiscvDomain& parent, std::uint32_t gscid,
                                     domain::VirtualIommuPorts& ports)
    : iommu_(iommu), parent_(parent), gscid_(gscid), ports_(ports), lock_(iommu.ports().os.make_rwlock()) {}

/// Its last nested domain was detached before, and what was cached under the number went with that.
RiscvVirtualIommu::~RiscvVirtualIommu() { iommu_.system().gscids().give_back(gscid_); }

int RiscvVirtualIommu::alloc_nested(domain::Device& /*device*/, unsigned flags, const domain::UserData& data,
                                    std::unique_ptr<domain::NestedDomain>& out) {
  return RiscvNestedDomain::create(iommu_, parent_, SpaceTag{true, gscid_}, this, flags, data, out);
}

/// All entries are fetched before the first is done.
int RiscvVirtualIommu::invalidate(const domain::UserArray& entries, std::uint32_t& done) {
  if (entries.type != uapi::kInvalidateRiscv) return EINVAL;
  std::vector<uapi::riscv_invalidate> all;
  if (const int error = entries.read_all(all)) return error;
  const std::shared_lock guard(*lock_);
  GuestDevices devices;
  devices.find = [this](std::uint32_t virtual_id) {
    const auto found = devices_.find(virtual_id);
    return found == devices_.end() ? nullptr : found->second;
  };
  devices.for_each = [this](const std::function<void(RiscvDevice&)>& action) {
    for (const auto& device : devices_) action(*device.second);
  };
  GuestCommands commands(iommu_, gscid_, std::move(devices));
  int error = 0;
  for (const uapi::riscv_invalidate& entry : all) {
    error = commands.run(entry);
    if (error != 0) break;
    ++done;
  }
  if (done != 0 && commands.finish() != 0) {
    done = 0;
    return EIO;
  }
  return error;
}

int RiscvVirtualIommu::add_device(domain::Device& device, std::uint64_t virtual_id) {
  auto* const known = dynamic_cast<RiscvDevice*>(&device);
  if (known == nullptr || &known->iommu() != &iommu_) return ENODEV;
  if ((virtual_id >> hw::iodir_w0::kDidWidth) != 0) return EINVAL;
  const auto id = static_cast<std::uint32_t>(virtual_id);
  {
    const std::unique_lock guard(*lock_);
    devices_[id] = known;
  }
  try {
    iommu_.tell_faults(*known, &ports_, id);
  } catch (...) {  // no memory: as if it had never been
    remove_device(device, virtual_id);
    throw;
  }
  return 0;
}

void RiscvVirtualIommu::remove_device(domain::Device& device, std::uint64_t virtual_id) {
  if (auto* const known = dynamic_cast<RiscvDevice*>(&device)) iommu_.tell_faults(*known, nullptr, 0);
  const std::unique_lock guard(*lock_);
  devices_.erase(static_cast<std::uint32_t>(virtual_id));
}

bool RiscvVirtualIommu::knows(const RiscvDevice& device) const {
  const std::shared_lock guard(*lock_);
  return std::any_of(devices_.begin(), devices_.end(), [&](const auto& known) { return known.second == &device; });
}

}  // namespace iommusim::drivers::riscv
