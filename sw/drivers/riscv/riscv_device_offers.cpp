// SPDX-License-Identifier: Apache-2.0
// What a device offers: information, page tables of all kinds, a share of its IOMMU.
#include <cerrno>

#include "drivers/riscv/nested_domain.h"
#include "drivers/riscv/riscv_device.h"
#include "drivers/riscv/riscv_iommu.h"
#include "drivers/riscv/virtual_iommu.h"
#include "uapi/iommufd_riscv.h"

namespace iommusim::drivers::riscv {

bool RiscvDevice::capable(domain::Capability capability) const {
  using domain::Capability;
  switch (capability) {
    case Capability::kCacheCoherency:
    case Capability::kIsolatedMsi:
    case Capability::kEnforceCoherency:
      return true;
    case Capability::kDirtyTracking:
      return iommu_.tracks_dirty();
    case Capability::kPasid:
      return pasid_width() != 0;
    case Capability::kPasidExecute:
      return pasid_width() != 0 && description_.pasid_execute && iommu_.options().execute;
    case Capability::kPasidPrivileged:
      return pasid_width() != 0 && description_.pasid_privileged;
    case Capability::kAts:
      return uses_ats();
    case Capability::kPageRequests:
      return uses_page_requests();
    case Capability::kPageRequestsOfPhysical:
      return false;
  }
  return false;
}

int RiscvDevice::hw_info(std::uint32_t type, domain::HwInfo& out) {
  if (type != 0 && type != uapi::kHwInfoRiscv) return EOPNOTSUPP;
  uapi::hw_info_riscv info{};
  info.fctl = iommu_.fctl();
  info.capabilities = iommu_.capabilities();
  info.version = static_cast<std::uint32_t>(iommu_.capabilities() & hw::capabilities::kVersionMask);
  info.directory_levels = iommu_.directory().levels();
  info.pscid_bits = 20;
  out = domain::HwInfo::of(uapi::kHwInfoRiscv, info);
  return 0;
}

const void* RiscvDevice::iommu_driver() const { return &iommu_.system(); }

int RiscvDevice::alloc_domain(const RiscvDomain::Format& format, std::unique_ptr<domain::Domain>& out) {
  if (format.address_bits == 0) return EOPNOTSUPP;
  SpaceNumbers& numbers = format.second_stage() ? iommu_.system().gscids() : iommu_.system().pscids();
  TakenNumber taken(numbers);
  if (taken.number() == 0) return ENOMEM;
  auto fresh = std::make_unique<RiscvDomain>(iommu_.ports(), iommu_.system(), iommu_.options(), format, taken.number());
  taken.keep();  // it gives back itself
  if (!fresh->usable()) return ENOMEM;
  out = std::move(fresh);
  return 0;
}

int RiscvDevice::alloc_domain(std::unique_ptr<domain::Domain>& out) {
  return alloc_domain(RiscvDomain::Format{iommu_.widest_address_bits()}, out);
}

/// A guest brings the contexts of its processes itself, so a parent for PASIDs makes no sense.
int RiscvDevice::alloc_paging(const domain::PagingRequest& request, std::unique_ptr<domain::Domain>& out) {
  constexpr unsigned kKnown = domain::kNestParent | domain::kTracksDirty | domain::kForPasids;
  if ((request.flags & ~kKnown) != 0 || request.data.given()) return EOPNOTSUPP;
  const bool parent = (request.flags & domain::kNestParent) != 0;
  if (parent && (request.flags & domain::kForPasids) != 0) return EOPNOTSUPP;
  if ((request.flags & domain::kTracksDirty) != 0 && !iommu_.tracks_dirty()) return EOPNOTSUPP;
  RiscvDomain::Format format;
  format.address_bits = parent ? iommu_.widest_second_stage_bits() : iommu_.widest_address_bits();
  format.flags = request.flags;
  format.hardware_dirty = iommu_.updates_dirty();
  return alloc_domain(format, out);
}

bool RiscvDevice::can_nest() const { return iommu_.widest_second_stage_bits() != 0; }

int RiscvDevice::alloc_nested(domain::Domain& parent, unsigned flags, const domain::UserData& data,
                              std::unique_ptr<domain::NestedDomain>& out) {
  auto* const below = dynamic_cast<RiscvDomain*>(&parent);
  if (below == nullptr || !below->tag().second_stage || &below->system() != &iommu_.system()) return EINVAL;
  return RiscvNestedDomain::create(iommu_, *below, below->tag(), nullptr, flags, data, out);
}

bool RiscvDevice::offers_virtual_iommu(std::uint32_t type) const { return type == uapi::kViommuRiscv && can_nest(); }

int RiscvDevice::alloc_virtual_iommu(const domain::VirtualIommuRequest& request,
                                     std::unique_ptr<domain::VirtualIommu>& out) {
  auto* const parent = dynamic_cast<RiscvDomain*>(request.parent);
  if (!offers_virtual_iommu(request.type) || request.data.given()) return EOPNOTSUPP;
  if (parent == nullptr || !parent->tag().second_stage || !suits(*parent)) return EINVAL;
  TakenNumber taken(iommu_.system().gscids());
  if (taken.number() == 0) return ENOMEM;
  out = std::make_unique<RiscvVirtualIommu>(iommu_, *parent, taken.number(), *request.ports);
  taken.keep();
  return 0;
}

}  // namespace iommusim::drivers::riscv
