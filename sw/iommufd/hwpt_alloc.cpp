// SPDX-License-Identifier: Apache-2.0
// HWPT_ALLOC (uapi 4.1; numbers in comments are its rows): over an IOAS, over a paging page table, or in a vIOMMU.
#include <cerrno>
#include <mutex>

#include "iommufd/call.h"
#include "iommufd/device.h"
#include "iommufd/handlers.h"
#include "iommufd/hwpt_nested.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint32_t kPagingFlags =
    uapi::kIommuHwptNestParent | uapi::kIommuHwptDirtyTracking | uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptPasid;
constexpr std::uint32_t kNestedFlags = uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptPasid;

// What the driver is told: the fault queue is not its affair.
unsigned driver_flags(const uapi::IommuHwptAlloc& argument) { return argument.flags & ~uapi::kIommuHwptFaultIdValid; }

domain::UserData data_of(Call& call, const uapi::IommuHwptAlloc& argument) {
  return {&call.caller(), argument.data_type, argument.data_len, argument.data_uptr};
}

int alloc_paging(Call& call, Device& device, CallHold<Ioas> ioas, const uapi::IommuHwptAlloc& argument, Hwpt*& out) {
  domain::Device& hardware = device.hardware();
  const std::uint32_t flags = argument.flags;
  const domain::PagingRequest request{driver_flags(argument), data_of(call, argument)};
  if ((flags != 0 || request.data.given()) && !hardware.takes_paging_requests()) return EOPNOTSUPP;  // 5
  if ((flags & ~kPagingFlags) != 0) return EOPNOTSUPP;                                               // 6
  if ((flags & uapi::kIommuHwptDirtyTracking) != 0 && !hardware.capable(domain::Capability::kDirtyTracking))
    return EOPNOTSUPP;                                                                                              // 7
  if ((flags & uapi::kIommuHwptFaultIdValid) != 0 && (flags & uapi::kIommuHwptNestParent) != 0) return EOPNOTSUPP;  // 8
  std::unique_ptr<HwptPaging> made;
  if (const int error = make_hwpt(hardware, to_users(std::move(ioas)), false, request, made)) return error;  // 9
  HwptPaging& hwpt = call.create(std::move(made));
  const std::lock_guard guard(hwpt.ioas().mutex());
  if (const int error = hwpt.join_ioas_locked()) return error;  // 10 to 12
  out = &hwpt;
  return 0;
}

// Rows that the two ways to a nested page table share.
bool asks_for_nesting(const uapi::IommuHwptAlloc& argument) {
  return (argument.flags & ~kNestedFlags) == 0 && argument.data_len != 0;
}

template <class Parent, class Allocate>
int alloc_nested_in(Call& call, UsersRef<Parent> parent, const uapi::IommuHwptAlloc& argument, Allocate allocate,
                    Hwpt*& out) {
  const bool for_pasids = (argument.flags & uapi::kIommuHwptPasid) != 0;
  HwptNested& hwpt = call.create(std::make_unique<HwptNested>(std::move(parent), for_pasids));
  std::unique_ptr<domain::NestedDomain> domain;
  if (const int error = allocate(driver_flags(argument), data_of(call, argument), domain)) return error;
  hwpt.set_domain(std::move(domain));
  out = &hwpt;
  return 0;
}

int alloc_nested(Call& call, Device& device, CallHold<HwptPaging> parent, const uapi::IommuHwptAlloc& argument,
                 Hwpt*& out) {
  domain::Device& hardware = device.hardware();
  if (!asks_for_nesting(argument) || !hardware.can_nest()) return EOPNOTSUPP;  // 13
  if (parent->automatic() || !parent->nest_parent() || parent->domain().iommu_driver() != hardware.iommu_driver())
    return EINVAL;  // 14
  domain::Domain& stage = parent->domain();
  return alloc_nested_in(
      call, to_users(std::move(parent)), argument,
      [&](unsigned flags, const domain::UserData& data, std::unique_ptr<domain::NestedDomain>& made) {
        return hardware.alloc_nested(stage, flags, data, made);  // 15
      },
      out);
}

int alloc_in_viommu(Call& call, Device& device, CallHold<Viommu> viommu, const uapi::IommuHwptAlloc& argument,
                    Hwpt*& out) {
  if (viommu->instance() != device.hardware().iommu_instance()) return EINVAL;         // 16
  if (!asks_for_nesting(argument) || !viommu->driver().can_nest()) return EOPNOTSUPP;  // 17
  domain::VirtualIommu& driver = viommu->driver();
  return alloc_nested_in(
      call, to_users(std::move(viommu)), argument,
      [&](unsigned flags, const domain::UserData& data, std::unique_ptr<domain::NestedDomain>& made) {
        return driver.alloc_nested(device.hardware(), flags, data, made);
      },
      out);
}

}  // namespace

int handle(Call& call, uapi::IommuHwptAlloc& argument) {
  if (argument.reserved != 0) return EOPNOTSUPP;                                                    // 1
  if ((argument.data_type == uapi::kIommuHwptDataNone) != (argument.data_len == 0)) return EINVAL;  // 2
  Device* const device = call.hold<Device>(argument.dev_id);
  if (!device) return ENOENT;  // 3
  CallHold<Object> pt = call.context().objects().hold_any(argument.pt_id);
  if (!pt) return EINVAL;  // 4
  Hwpt* hwpt = nullptr;
  int error = EINVAL;  // 4
  if (pt->type() == ObjectType::kIoas)
    error = alloc_paging(call, *device, narrow<Ioas>(std::move(pt)), argument, hwpt);
  else if (pt->type() == ObjectType::kHwptPaging)
    error = alloc_nested(call, *device, narrow<HwptPaging>(std::move(pt)), argument, hwpt);
  else if (pt->type() == ObjectType::kViommu)
    error = alloc_in_viommu(call, *device, narrow<Viommu>(std::move(pt)), argument, hwpt);
  if (error) return error;
  if ((argument.flags & uapi::kIommuHwptFaultIdValid) != 0) {
    CallHold<Fault> fault = call.context().objects().hold<Fault>(argument.fault_id);
    if (!fault) return ENOENT;  // 18
    hwpt->set_fault(to_users(std::move(fault)));
  }
  argument.out_hwpt_id = hwpt->id();
  return 0;
}

}  // namespace iommusim::iommufd
