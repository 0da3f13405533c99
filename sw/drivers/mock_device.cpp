// SPDX-License-Identifier: Apache-2.0
// Attachments of MockDevice.
#include "drivers/mock_device.h"

#include <cerrno>
#include <mutex>

namespace iommusim::drivers {

int MockDevice::alloc_domain(std::unique_ptr<domain::Domain>& out) {
  if (const int error = iommu_.enter(MockCall::kAllocDomain)) return error;
  out = std::make_unique<MockDomain>(iommu_, options_.format);
  return 0;
}

int MockDevice::attach(domain::Domain& domain) {
  if (const int error = iommu_.enter(MockCall::kAttach)) return error;
  auto* mine = dynamic_cast<MockDomain*>(&domain);
  if (!mine || &mine->iommu_ != &iommu_ || mine->format_ != options_.format) return EINVAL;
  switch_to(mine);
  return 0;
}

void MockDevice::block() {
  (void)iommu_.enter(MockCall::kBlock);
  switch_to(nullptr);
}

void MockDevice::switch_to(MockDomain* domain) {
  const std::lock_guard guard(*iommu_.lock_);
  if (domain_) --domain_->attached_;
  domain_ = domain;
  if (domain_) ++domain_->attached_;
}

bool MockDevice::access(std::uint64_t iova, bool write, std::uint64_t& spa_out) const {
  const std::lock_guard guard(*iommu_.lock_);
  return domain_ && domain_->translate(iova, write, spa_out);
}

MockDomain* MockDevice::attached() const {
  const std::lock_guard guard(*iommu_.lock_);
  return domain_;
}

}  // namespace iommusim::drivers
