// SPDX-License-Identifier: Apache-2.0
// A nested page table as an object (R8.1): the first stage of a guest over a paging page table, its parent. Made over
// the parent itself or in a vIOMMU; holds `users` of whichever it was. It is in no list of an IOAS (R8.2).
#pragma once

#include <memory>

#include "iommufd/hwpt.h"
#include "iommufd/viommu.h"

namespace iommusim::iommufd {

class HwptNested final : public Hwpt {
 public:
  static constexpr ObjectType kType = ObjectType::kHwptNested;

  HwptNested(UsersRef<HwptPaging> parent, bool for_pasids) : Hwpt(kType, for_pasids), parent_(std::move(parent)) {}
  HwptNested(UsersRef<Viommu> viommu, bool for_pasids) : Hwpt(kType, for_pasids), viommu_(std::move(viommu)) {}

  void set_domain(std::unique_ptr<domain::NestedDomain> domain) { domain_ = std::move(domain); }
  domain::NestedDomain& domain() { return *domain_; }
  domain::Translation& translation() override { return *domain_; }
  HwptPaging& paging() override { return viommu_ ? viommu_->parent() : *parent_; }

 private:
  UsersRef<HwptPaging> parent_;
  UsersRef<Viommu> viommu_;
  std::unique_ptr<domain::NestedDomain> domain_;  // ends first
};

}  // namespace iommusim::iommufd
