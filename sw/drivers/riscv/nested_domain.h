// SPDX-License-Identifier: Apache-2.0
// A guest's first stage over a second stage of ours: the words of a device context that the guest has chosen, judged.
// The tables are in guest memory; the driver never reads them.
#pragma once

#include "drivers/riscv/riscv_domain.h"

namespace iommusim::drivers::riscv {

class RiscvDevice;
class RiscvIommu;
class RiscvVirtualIommu;

class RiscvNestedDomain final : public domain::NestedDomain {
 public:
  /// `viommu`: null for one that is made without. `tag`: of the parent, for this guest. EOPNOTSUPP (flags, type of
  /// data), EINVAL, EFAULT.
  static int create(RiscvIommu& iommu, RiscvDomain& parent, const SpaceTag& tag, RiscvVirtualIommu* viommu,
                    unsigned flags, const domain::UserData& data, std::unique_ptr<domain::NestedDomain>& out);

  bool can_invalidate() const override { return true; }
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override;

  RiscvIommu& iommu() const { return iommu_; }
  RiscvDomain& parent() const { return parent_; }
  /// Whether the guest has a number for the device, if it needs one: faults must be told by it.
  bool knows(const RiscvDevice& device) const;
  /// For the parent, without the device.
  const Link& link() const { return link_; }
  std::uint64_t tc() const { return tc_; }
  std::uint64_t ta() const { return ta_; }
  std::uint64_t fsc() const { return fsc_; }

 private:
  RiscvNestedDomain(RiscvIommu& iommu, RiscvDomain& parent, RiscvVirtualIommu* viommu)
      : iommu_(iommu), parent_(parent), viommu_(viommu) {}

  RiscvIommu& iommu_;
  RiscvDomain& parent_;
  RiscvVirtualIommu* const viommu_;
  Link link_;
  std::uint64_t tc_ = 0, ta_ = 0, fsc_ = 0;
};

}  // namespace iommusim::drivers::riscv
