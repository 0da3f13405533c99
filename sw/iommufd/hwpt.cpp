// SPDX-License-Identifier: Apache-2.0
// Life of a paging page table.
#include "iommufd/hwpt.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace iommusim::iommufd {

using domain::Capability;

Ioas& Hwpt::ioas() { return paging().ioas(); }

HwptPaging::HwptPaging(UsersRef<Ioas> ioas, std::unique_ptr<domain::Domain> domain, bool automatic, unsigned flags)
    : Hwpt(kType, (flags & domain::kForPasids) != 0),
      ioas_(std::move(ioas)),
      domain_(std::move(domain)),
      automatic_(automatic),
      flags_(flags) {}

HwptPaging::~HwptPaging() {
  MsiPages::hide(*domain_, msi_shown_);
  if (!joined_) return;
  const std::lock_guard guard(ioas_->mutex());
  auto& hwpts = ioas_->hwpts_locked();
  hwpts.erase(std::find(hwpts.begin(), hwpts.end(), this));
  ioas_->space().remove_domain(*domain_);
}

int HwptPaging::check_device(const domain::Device& device) const {
  if (coherent_ && !device.capable(Capability::kEnforceCoherency)) return EINVAL;                          // R4.6
  if ((flags_ & domain::kTracksDirty) != 0 && !device.capable(Capability::kDirtyTracking)) return EINVAL;  // R7.1
  return 0;
}

int HwptPaging::enforce_coherency() {
  coherent_ = domain_->enforce_coherency();
  return coherent_ ? 0 : EINVAL;
}

int HwptPaging::join_ioas_locked() {
  auto& hwpts = ioas_->hwpts_locked();
  hwpts.reserve(hwpts.size() + 1);
  if (const int error = ioas_->space().add_domain(*domain_)) return error;
  hwpts.push_back(this);
  joined_ = true;
  return 0;
}

int make_hwpt(domain::Device& device, UsersRef<Ioas> ioas, bool automatic, const domain::PagingRequest& request,
              std::unique_ptr<HwptPaging>& out) {
  std::unique_ptr<domain::Domain> domain;
  if (const int error = device.alloc_paging(request, domain)) return error;
  auto made = std::make_unique<HwptPaging>(std::move(ioas), std::move(domain), automatic, request.flags);
  if (device.capable(Capability::kEnforceCoherency))
    if (const int error = made->enforce_coherency()) return error;
  out = std::move(made);
  return 0;
}

}  // namespace iommusim::iommufd
