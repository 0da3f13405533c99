// SPDX-License-Identifier: Apache-2.0
// Life of a paging page table.
#include "iommufd/hwpt.h"

#include <algorithm>
#include <mutex>

namespace iommusim::iommufd {

HwptPaging::HwptPaging(UsersRef<Ioas> ioas, std::unique_ptr<domain::Domain> domain, bool automatic)
    : Object(kType), ioas_(std::move(ioas)), domain_(std::move(domain)), automatic_(automatic) {}

HwptPaging::~HwptPaging() {
  if (!joined_) return;
  const std::lock_guard guard(ioas_->mutex());
  auto& hwpts = ioas_->hwpts_locked();
  hwpts.erase(std::find(hwpts.begin(), hwpts.end(), this));
  ioas_->space().remove_domain(*domain_);
}

int HwptPaging::join_ioas_locked() {
  auto& hwpts = ioas_->hwpts_locked();
  hwpts.reserve(hwpts.size() + 1);
  if (const int error = ioas_->space().add_domain(*domain_)) return error;
  hwpts.push_back(this);
  joined_ = true;
  return 0;
}

int make_hwpt(domain::Device& device, UsersRef<Ioas> ioas, bool automatic, std::unique_ptr<HwptPaging>& out) {
  std::unique_ptr<domain::Domain> domain;
  if (const int error = device.alloc_domain(domain)) return error;
  out = std::make_unique<HwptPaging>(std::move(ioas), std::move(domain), automatic);
  return 0;
}

}  // namespace iommusim::iommufd
