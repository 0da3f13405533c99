// SPDX-License-Identifier: Apache-2.0
// The checks of what a guest puts into a device context (IOMMU 2.1.4), so that hardware never finds it misconfigured.
#include "drivers/riscv/nested_domain.h"

#include <cerrno>

#include "drivers/riscv/guest_commands.h"
#include "drivers/riscv/riscv_iommu.h"
#include "drivers/riscv/virtual_iommu.h"

namespace iommusim::drivers::riscv {
namespace {

bool first_stage_mode_exists(const RiscvIommu& iommu, std::uint64_t mode) {
  if (mode == hw::iosatp_mode::kBare) return true;
  return mode >= hw::iosatp_mode::kSv39 && mode <= hw::iosatp_mode::kSv57 &&
         iommu.supports(39 + 9 * static_cast<unsigned>(mode - hw::iosatp_mode::kSv39));
}

bool directory_mode_exists(const RiscvIommu& iommu, std::uint64_t mode) {
  switch (mode) {
    case hw::pdtp_mode::kBare:
      return true;
    case hw::pdtp_mode::kPd8:
      return (iommu.capabilities() & hw::capabilities::kPd8Mask) != 0;
    case hw::pdtp_mode::kPd17:
      return (iommu.capabilities() & hw::capabilities::kPd17Mask) != 0;
    case hw::pdtp_mode::kPd20:
      return (iommu.capabilities() & hw::capabilities::kPd20Mask) != 0;
    default:
      return false;
  }
}

int judge(const RiscvIommu& iommu, const RiscvDomain& parent, const uapi::hwpt_riscv_stage1& data) {
  constexpr std::uint32_t kKnown =
      uapi::kRiscvStage1Directory | uapi::kRiscvStage1DefaultProcess | uapi::kRiscvStage1HardwareDirty;
  if ((data.flags & ~kKnown) != 0) return EOPNOTSUPP;
  const bool directory = (data.flags & uapi::kRiscvStage1Directory) != 0;
  if (!directory && (data.flags & uapi::kRiscvStage1DefaultProcess) != 0) return EINVAL;
  if ((data.flags & uapi::kRiscvStage1HardwareDirty) != 0 &&
      (iommu.capabilities() & hw::capabilities::kAmoHwadMask) == 0)
    return EINVAL;
  if ((data.pscid >> 20) != 0 || data.reserved[0] != 0 || data.reserved[1] != 0) return EINVAL;
  if ((data.fsc & ~(hw::dc_fsc::kModeMask | hw::dc_fsc::kPpnMask)) != 0) return EINVAL;
  const std::uint64_t mode = field_of(data.fsc, hw::dc_fsc::kModeMask, hw::dc_fsc::kModeShift);
  if (directory ? !directory_mode_exists(iommu, mode) : !first_stage_mode_exists(iommu, mode)) return EINVAL;
  const std::uint64_t root = field_of(data.fsc, hw::dc_fsc::kPpnMask, hw::dc_fsc::kPpnShift) << 12;
  return root > parent.aperture_last() ? EINVAL : 0;
}

}  // namespace

int RiscvNestedDomain::create(RiscvIommu& iommu, RiscvDomain& parent, const SpaceTag& tag, RiscvVirtualIommu* viommu,
                              unsigned flags, const domain::UserData& data,
                              std::unique_ptr<domain::NestedDomain>& out) {
  if (flags != 0 || data.type != uapi::kHwptDataRiscvStage1) return EOPNOTSUPP;
  uapi::hwpt_riscv_stage1 stage1{};
  if (const int error = data.read(&stage1, sizeof stage1, sizeof stage1)) return error;
  if (const int error = judge(iommu, parent, stage1)) return error;
  std::unique_ptr<RiscvNestedDomain> fresh(new RiscvNestedDomain(iommu, parent, viommu));
  const bool directory = (stage1.flags & uapi::kRiscvStage1Directory) != 0;
  fresh->fsc_ = stage1.fsc;
  fresh->ta_ = directory ? 0 : std::uint64_t{stage1.pscid} << hw::dc_ta::kPscidShift;
  fresh->tc_ = (directory ? hw::dc_tc::kPdtvMask : 0) |
               ((stage1.flags & uapi::kRiscvStage1DefaultProcess) != 0 ? hw::dc_tc::kDpeMask : 0) |
               ((stage1.flags & uapi::kRiscvStage1HardwareDirty) != 0 ? hw::dc_tc::kSadeMask : 0);
  fresh->link_.tag = tag;
  fresh->link_.nested = true;
  fresh->link_.directory = directory;
  fresh->link_.root_page = field_of(stage1.fsc, hw::dc_fsc::kPpnMask, hw::dc_fsc::kPpnShift) << 12;
  out = std::move(fresh);
  return 0;
}

bool RiscvNestedDomain::knows(const RiscvDevice& device) const { return viommu_ == nullptr || viommu_->knows(device); }

/// One entry at a time, as its length must be exact.
int RiscvNestedDomain::invalidate(const domain::UserArray& entries, std::uint32_t& done) {
  if (entries.type != uapi::kInvalidateRiscv) return EINVAL;
  GuestCommands commands(iommu_, link_.tag.number, {});
  int error = 0;
  for (std::uint32_t index = 0; error == 0 && index < entries.count; ++index) {
    uapi::riscv_invalidate entry{};
    error = entries.read_entry(index, &entry, sizeof entry);
    if (error == 0) error = commands.run(entry);
    if (error == 0) ++done;
  }
  if (done != 0 && commands.finish() != 0) {
    done = 0;
    return EIO;
  }
  return error;
}

}  // namespace iommusim::drivers::riscv
