// SPDX-License-Identifier: Apache-2.0
// Routes of page faults.
#include "iommufd/page_fault_router.h"

#include <cerrno>
#include <mutex>
#include <new>

#include "iommufd/device.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

int PageFaultRouter::route(std::uint32_t pasid, Hwpt& hwpt) {
  if (hwpt.fault() && !enabled_) {
    domain::Device& hardware = device_.hardware();
    if (hardware.capable(domain::Capability::kPageRequestsOfPhysical)) return EINVAL;  // R4.7
    if (const int error = hardware.set_page_fault_handler(this)) return error;
    enabled_ = true;
  }
  const std::lock_guard guard(*lock_);
  routes_[pasid] = Route{hwpt.fault(), hwpt.type() == ObjectType::kHwptNested};
  return 0;
}

void PageFaultRouter::unroute(std::uint32_t pasid) {
  const std::lock_guard guard(*lock_);
  routes_.erase(pasid);
}

void PageFaultRouter::settle() {
  if (!enabled_) return;
  for (const auto& [pasid, route] : routes_)
    if (route.fault) return;
  device_.hardware().set_page_fault_handler(nullptr);
  enabled_ = false;
}

bool PageFaultRouter::deliver(const domain::PageFaultGroup& group) {
  const std::lock_guard guard(*lock_);
  auto at = routes_.find(group.process_valid ? group.process_id : 0);
  if (at == routes_.end()) {
    at = routes_.find(0);
    if (at == routes_.end() || !at->second.nested) return false;
  }
  if (!at->second.fault) return false;
  try {
    at->second.fault->deliver(device_, at->first, group);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void PageFaultRouter::page_fault(const domain::PageFaultGroup& group) {
  if (!deliver(group)) device_.hardware().answer_page_fault(group, domain::PageAnswer::kInvalid);
}

}  // namespace iommusim::iommufd
