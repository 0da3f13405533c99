// SPDX-License-Identifier: Apache-2.0
// Hardware page tables as objects. What all have in common is that devices attach to them, each with `users` of its
// own. A paging one is a domain of a driver that shows all of one IOAS, of which it holds `users`. An automatic one
// exists for the devices that were attached to the IOAS by its own id, and goes with the last of them (R4.4); any other
// lives until DESTROY (R4.5). Nested ones are in hwpt_nested.h.
#pragma once

#include <memory>

#include "domain/domain.h"
#include "iommufd/fault.h"
#include "iommufd/ioas.h"
#include "iommufd/msi_pages.h"
#include "iommufd/protection.h"

namespace iommusim::iommufd {

class Hwpt : public Object {
 public:
  virtual domain::Translation& translation() = 0;
  /// Itself or, of a nested one, its parent.
  virtual HwptPaging& paging() = 0;
  /// Whether this device may use it (R4.6, R7.1); the driver has its say as well. 0 or EINVAL.
  virtual int check_device(const domain::Device&) const { return 0; }

  Ioas& ioas();
  /// Where page faults of its devices go; null: nowhere.
  Fault* fault() const { return fault_.get(); }
  void set_fault(UsersRef<Fault> fault) { fault_ = std::move(fault); }
  bool for_pasids() const { return for_pasids_; }

 protected:
  Hwpt(ObjectType type, bool for_pasids) : Object(type), for_pasids_(for_pasids) {}

 private:
  UsersRef<Fault> fault_;  // set before the object is published
  const bool for_pasids_;
};

class HwptPaging final : public Hwpt {
 public:
  static constexpr ObjectType kType = ObjectType::kHwptPaging;

  /// `flags` of domain::DomainFlags.
  HwptPaging(UsersRef<Ioas> ioas, std::unique_ptr<domain::Domain> domain, bool automatic, unsigned flags);
  /// Takes the domain out of the IOAS. No device is attached.
  ~HwptPaging() override;

  domain::Translation& translation() override { return *domain_; }
  HwptPaging& paging() override { return *this; }
  int check_device(const domain::Device& device) const override;

  Ioas& ioas() { return *ioas_; }
  domain::Domain& domain() { return *domain_; }
  bool automatic() const { return automatic_; }
  bool nest_parent() const { return (flags_ & domain::kNestParent) != 0; }
  bool coherent() const { return coherent_; }
  MsiShown& msi_shown() { return msi_shown_; }

  /// R4.6: before anything is mapped. EINVAL: the driver cannot, though the device's capabilities say so.
  int enforce_coherency();
  /// Fills the domain with the areas of the IOAS, which from then on keep it up to date. The caller holds
  /// ioas().mutex(). 0, or an errno of uapi 4.1 rows 10 to 12; then nothing has changed.
  int join_ioas_locked();

 private:
  UsersRef<Ioas> ioas_;
  std::unique_ptr<domain::Domain> domain_;
  const bool automatic_;
  const unsigned flags_;
  bool coherent_ = false;
  bool joined_ = false;
  MsiShown msi_shown_;
};

/// What a device's driver offers for this IOAS, not filled yet. 0, or an errno of Device::alloc_paging.
int make_hwpt(domain::Device& device, UsersRef<Ioas> ioas, bool automatic, const domain::PagingRequest& request,
              std::unique_ptr<HwptPaging>& out);

}  // namespace iommusim::iommufd
