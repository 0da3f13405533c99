// SPDX-License-Identifier: Apache-2.0
// Pages of the window for translated MSIs.
#include "iommufd/msi_pages.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "pagetable/interval.h"

namespace iommusim::iommufd {

int MsiPages::show(domain::Domain& domain, MsiShown& shown, std::uint64_t window, std::uint64_t doorbell,
                   std::uint64_t& iova_out) {
  using pagetable::kPage;
  const std::uint64_t page = doorbell - doorbell % kPage;
  const std::lock_guard guard(*lock_);
  auto at = std::find(doorbells_.begin(), doorbells_.end(), page);
  if (at == doorbells_.end()) at = doorbells_.insert(at, page);
  const std::uint64_t iova = window + static_cast<std::uint64_t>(at - doorbells_.begin()) * kPage;
  iova_out = iova + doorbell % kPage;
  if (std::find(shown.begin(), shown.end(), iova) != shown.end()) return 0;
  shown.reserve(shown.size() + 1);
  if (const int error = domain.map(iova, page, kPage, domain::kRead | domain::kWrite)) return error;
  shown.push_back(iova);
  return 0;
}

void MsiPages::hide(domain::Domain& domain, MsiShown& shown) {
  if (shown.empty()) return;
  domain::Gather gather;
  for (const std::uint64_t iova : shown) domain.unmap(iova, pagetable::kPage, gather);
  domain.sync(gather);
  shown.clear();
}

}  // namespace iommusim::iommufd
