// SPDX-License-Identifier: Apache-2.0
// Mapping, unmapping and invalidation in MockDomain.
#include "drivers/mock_domain.h"

#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers {

MockDomain::MockDomain(MockIommu& iommu, std::uint32_t format)
    : iommu_(iommu), format_(format), lock_(iommu.os_.make_mutex()) {
  const std::lock_guard guard(*iommu_.lock_);
  ++iommu_.live_domains_;
}

MockDomain::~MockDomain() {
  const std::lock_guard guard(*iommu_.lock_);
  --iommu_.live_domains_;
  hal::ensure(attached_ == 0, "a domain is destroyed while a device uses it");
}

const MockDomain::Leaf* MockDomain::find(const Leaves& leaves, std::uint64_t iova, std::uint64_t& start) {
  auto at = leaves.upper_bound(iova);
  if (at == leaves.begin()) return nullptr;
  --at;
  if (iova - at->first >= at->second.bytes) return nullptr;
  start = at->first;
  return &at->second;
}

int MockDomain::check_locked(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) const {
  const std::uint64_t smallest = page_sizes() & (~page_sizes() + 1);
  const std::uint64_t last = iova + (bytes - 1);
  if (bytes == 0 || (iova | spa | bytes) % smallest != 0 || last < iova) return EINVAL;
  if (iova < aperture_start() || last > aperture_last()) return EINVAL;
  if (prot == 0 || prot > (domain::kRead | domain::kWrite)) return EINVAL;
  std::uint64_t start = 0;
  const auto next = leaves_.lower_bound(iova);
  if ((next != leaves_.end() && next->first <= last) || find(leaves_, iova, start)) return EEXIST;
  return 0;
}

int MockDomain::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) {
  if (const int error = iommu_.enter(MockCall::kMap)) return error;
  const std::lock_guard guard(*lock_);
  if (const int error = check_locked(iova, spa, bytes, prot)) return error;
  while (bytes > 0) {
    unsigned shift = 63;
    while (((page_sizes() >> shift) & 1) == 0 || (iova | spa) % (1ULL << shift) != 0 || (1ULL << shift) > bytes)
      --shift;
    const std::uint64_t size = 1ULL << shift;
    leaves_.emplace(iova, Leaf{size, spa, prot});
    iova += size, spa += size, bytes -= size;
  }
  return 0;
}

std::uint64_t MockDomain::unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) {
  (void)iommu_.enter(MockCall::kUnmap);
  const std::lock_guard guard(*lock_);
  std::uint64_t first = iova;
  (void)find(leaves_, iova, first);
  std::uint64_t cleared = 0;
  for (auto at = leaves_.lower_bound(first); at != leaves_.end() && at->first <= iova + (bytes - 1);) {
    gather.add(at->first, at->first + (at->second.bytes - 1));
    cleared += at->second.bytes;
    stale_.insert(*at);
    at = leaves_.erase(at);
  }
  return cleared;
}

void MockDomain::forget_locked(std::uint64_t start, std::uint64_t last) {
  for (auto at = stale_.begin(); at != stale_.end() && at->first <= last;)
    at = at->first + (at->second.bytes - 1) >= start ? stale_.erase(at) : std::next(at);
}

bool MockDomain::sync(domain::Gather& gather) {
  const bool good = iommu_.enter(MockCall::kSync) == 0;
  const std::lock_guard guard(*lock_);
  if (good && !gather.empty()) forget_locked(gather.start, gather.last);
  gather = domain::Gather{};
  return good;
}

bool MockDomain::flush_all() {
  const bool good = iommu_.enter(MockCall::kFlushAll) == 0;
  const std::lock_guard guard(*lock_);
  if (good) stale_.clear();
  return good;
}

bool MockDomain::invalidate(std::uint64_t start, std::uint64_t last) {
  const bool good = iommu_.enter(MockCall::kInvalidate) == 0;
  const std::lock_guard guard(*lock_);
  if (good) forget_locked(start, last);
  return good;
}

bool MockDomain::iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) {
  const std::lock_guard guard(*lock_);
  std::uint64_t start = 0;
  const Leaf* leaf = find(leaves_, iova, start);
  if (leaf) spa_out = leaf->spa + (iova - start);
  return leaf != nullptr;
}

bool MockDomain::translate(std::uint64_t iova, bool write, std::uint64_t& spa_out) const {
  const std::lock_guard guard(*lock_);
  for (const Leaves* leaves : {&leaves_, &stale_})
    for (auto at = leaves->begin(); at != leaves->end() && at->first <= iova; ++at) {
      const Leaf& leaf = at->second;
      if (iova - at->first >= leaf.bytes || (write && (leaf.prot & domain::kWrite) == 0)) continue;
      spa_out = leaf.spa + (iova - at->first);
      return true;
    }
  return false;
}

std::uint64_t MockDomain::mapped_bytes() const {
  const std::lock_guard guard(*lock_);
  std::uint64_t sum = 0;
  for (const auto& [iova, leaf] : leaves_) sum += leaf.bytes;
  return sum;
}

std::uint64_t MockDomain::stale_leaves() const {
  const std::lock_guard guard(*lock_);
  return stale_.size();
}

bool MockDomain::reaches(std::uint64_t spa) const {
  const std::lock_guard guard(*lock_);
  for (const Leaves* leaves : {&leaves_, &stale_})
    for (const auto& [iova, leaf] : *leaves)
      if (spa - leaf.spa < leaf.bytes) return true;
  return false;
}

}  // namespace iommusim::drivers
