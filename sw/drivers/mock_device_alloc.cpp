// SPDX-License-Identifier: Apache-2.0
// What a mock device tells programs, and what it makes for them (test_ops L.5).
#include <cerrno>
#include <cstddef>

#include "drivers/mock_device.h"
#include "drivers/mock_virtual_iommu.h"

namespace iommusim::drivers {
namespace {

constexpr unsigned kFlags = domain::kNestParent | domain::kTracksDirty | domain::kForPasids;

}  // namespace

int MockDevice::hw_info(std::uint32_t type, domain::HwInfo& out) {
  if (!iommu_.options_.programmable) return domain::Device::hw_info(type, out);
  if (type != 0 && type != uapi::kMockHwInfoType) return EOPNOTSUPP;
  out = domain::HwInfo::of(uapi::kMockHwInfoType, uapi::MockHwInfo{0, uapi::kMockTestRegister});
  return 0;
}

int MockDevice::alloc_domain(std::unique_ptr<domain::Domain>& out) {
  return alloc_kind(uapi::kMockKindDefault, 0, out);
}

int MockDevice::alloc_paging(const domain::PagingRequest& request, std::unique_ptr<domain::Domain>& out) {
  if (!iommu_.options_.programmable) return domain::Device::alloc_paging(request, out);
  if ((request.flags & ~kFlags) != 0) return EOPNOTSUPP;
  if ((request.flags & domain::kTracksDirty) != 0 && !capable(domain::Capability::kDirtyTracking)) return EOPNOTSUPP;
  uapi::MockHwptData wanted{0, uapi::kMockKindDefault};
  if (request.data.given()) {
    if (request.data.type != uapi::kMockHwptType) return EOPNOTSUPP;
    constexpr std::size_t kFirstVersion = offsetof(uapi::MockHwptData, pagetable_type);
    if (const int error = request.data.read(&wanted, sizeof wanted, kFirstVersion)) return error;
  }
  return alloc_kind(wanted.pagetable_type, request.flags, out);
}

int MockDevice::alloc_kind(std::uint32_t kind, unsigned flags, std::unique_ptr<domain::Domain>& out) {
  if (kind != uapi::kMockKindDefault && kind != uapi::kMockKindHuge) return EOPNOTSUPP;
  if (const int error = iommu_.enter(MockCall::kAllocDomain)) return error;
  const MockFormat& format = kind == uapi::kMockKindHuge ? iommu_.options_.huge : iommu_.options_;
  out = std::make_unique<MockDomain>(iommu_, options_.format, format, flags);
  return 0;
}

int MockDevice::alloc_nested(domain::Domain& parent, unsigned flags, const domain::UserData& data,
                             std::unique_ptr<domain::NestedDomain>& out) {
  return MockNestedDomain::make(iommu_, parent, nullptr, flags, data, out);
}

bool MockDevice::offers_virtual_iommu(std::uint32_t type) const {
  return iommu_.options_.programmable && type == uapi::kMockViommuType;
}

int MockDevice::alloc_virtual_iommu(const domain::VirtualIommuRequest& request,
                                    std::unique_ptr<domain::VirtualIommu>& out) {
  return MockVirtualIommu::make(iommu_, request, out);
}

}  // namespace iommusim::drivers
