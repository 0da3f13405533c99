// SPDX-License-Identifier: Apache-2.0
// A vIOMMU on a RISC-V IOMMU: a GSCID of its own for the parent's table, devices by the guest's numbers, the guest's
// commands, and the faults of its first stages as events. Queues that hardware reads by itself are not offered: the
// IOMMU has one command queue, for all.
#pragma once

#include <map>

#include "drivers/riscv/riscv_domain.h"
#include "hal/os.h"

namespace iommusim::drivers::riscv {

class RiscvVirtualIommu final : public domain::VirtualIommu {
 public:
  /// `gscid` was taken from the system.
  RiscvVirtualIommu(RiscvIommu& iommu, RiscvDomain& parent, std::uint32_t gscid, domain::VirtualIommuPorts& ports);
  ~RiscvVirtualIommu() override;

  bool can_nest() const override { return true; }
  int alloc_nested(domain::Device& device, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override;
  bool can_invalidate() const override { return true; }
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override;
  /// EINVAL: a number that is no device id; ENODEV: behind another IOMMU.
  int add_device(domain::Device& device, std::uint64_t virtual_id) override;
  void remove_device(domain::Device& device, std::uint64_t virtual_id) override;

  bool knows(const RiscvDevice& device) const;
  std::uint32_t gscid() const { return gscid_; }

 private:
  RiscvIommu& iommu_;
  RiscvDomain& parent_;
  const std::uint32_t gscid_;
  domain::VirtualIommuPorts& ports_;
  std::unique_ptr<hal::RwLock> lock_;              // guards devices_; held shared while commands of the guest run
  std::map<std::uint32_t, RiscvDevice*> devices_;  // by virtual id
};

}  // namespace iommusim::drivers::riscv
