// SPDX-License-Identifier: Apache-2.0
// A paging hardware page table as an object: a domain of a driver that shows all of one IOAS. Holds `users` of that
// IOAS; each device attached to it holds `users` of it. An automatic one exists for the devices that were attached to
// the IOAS by its own id, and goes with the last of them (R4.4); any other lives until DESTROY (R4.5).
#pragma once

#include <memory>

#include "domain/domain.h"
#include "iommufd/ioas.h"
#include "iommufd/protection.h"

namespace iommusim::iommufd {

class HwptPaging final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kHwptPaging;

  HwptPaging(UsersRef<Ioas> ioas, std::unique_ptr<domain::Domain> domain, bool automatic);
  /// Takes the domain out of the IOAS. No device is attached.
  ~HwptPaging() override;

  Ioas& ioas() { return *ioas_; }
  domain::Domain& domain() { return *domain_; }
  bool automatic() const { return automatic_; }

  /// Fills the domain with the areas of the IOAS, which from then on keep it up to date. The caller holds
  /// ioas().mutex(). 0, or an errno of uapi 4.1 rows 10 to 12; then nothing has changed.
  int join_ioas_locked();

 private:
  UsersRef<Ioas> ioas_;
  std::unique_ptr<domain::Domain> domain_;
  const bool automatic_;
  bool joined_ = false;
};

/// What a device's driver offers for this IOAS, not filled yet. 0, or an errno of Device::alloc_domain.
int make_hwpt(domain::Device& device, UsersRef<Ioas> ioas, bool automatic, std::unique_ptr<HwptPaging>& out);

}  // namespace iommusim::iommufd
