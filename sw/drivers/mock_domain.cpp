// SPDX-License-Identifier: Apache-2.0
// MockDomain: the hooks and the lock around its page table.
#include "drivers/mock_domain.h"

#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers {

MockDomain::MockDomain(MockIommu& iommu, std::uint32_t suits, const MockFormat& format, unsigned flags)
    : iommu_(iommu), suits_(suits), format_(format), flags_(flags), lock_(iommu.os_.make_mutex()), table_(format) {
  const std::lock_guard guard(*iommu_.lock_);
  ++iommu_.live_domains_;
}

MockDomain::~MockDomain() {
  const std::lock_guard guard(*iommu_.lock_);
  --iommu_.live_domains_;
  hal::ensure(attached_ == 0, "a domain is destroyed while a device uses it");
}

int MockDomain::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) {
  if (const int error = iommu_.enter(MockCall::kMap)) return error;
  const std::lock_guard guard(*lock_);
  return table_.map(iova, spa, bytes, prot);
}

std::uint64_t MockDomain::unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) {
  (void)iommu_.enter(MockCall::kUnmap);
  const std::lock_guard guard(*lock_);
  return table_.unmap(iova, iova + (bytes - 1), gather);
}

bool MockDomain::sync(domain::Gather& gather) {
  const bool good = iommu_.enter(MockCall::kSync) == 0;
  const std::lock_guard guard(*lock_);
  if (good && !gather.empty()) table_.forget(gather.start, gather.last);
  gather = domain::Gather{};
  return good;
}

bool MockDomain::flush_all() {
  const bool good = iommu_.enter(MockCall::kFlushAll) == 0;
  const std::lock_guard guard(*lock_);
  if (good) table_.forget(0, ~0ULL);
  return good;
}

bool MockDomain::invalidate(std::uint64_t start, std::uint64_t last) {
  const bool good = iommu_.enter(MockCall::kInvalidate) == 0;
  const std::lock_guard guard(*lock_);
  if (good) table_.forget(start, last);
  return good;
}

bool MockDomain::iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) {
  const std::lock_guard guard(*lock_);
  MockPageTable::Leaf leaf;
  if (!table_.find(iova, leaf)) return false;
  spa_out = leaf.spa + (iova - leaf.iova);
  return true;
}

int MockDomain::set_dirty_tracking(bool on) {
  if (!tracks_dirty()) return EOPNOTSUPP;
  const std::lock_guard guard(*lock_);
  tracking_ = on;
  return 0;
}

int MockDomain::read_dirty(std::uint64_t iova, std::uint64_t bytes, bool clear, domain::DirtySink& sink,
                           domain::Gather& gather) {
  if (!tracks_dirty()) return EOPNOTSUPP;
  const std::lock_guard guard(*lock_);
  table_.read_dirty(iova, iova + (bytes - 1), clear, sink, gather);
  return 0;
}

bool MockDomain::translate(std::uint64_t iova, bool write, std::uint64_t& spa_out) {
  const std::lock_guard guard(*lock_);
  if (!table_.translate(iova, write ? domain::kWrite : 0U, spa_out)) return false;
  if (write && tracking_) (void)table_.mark_dirty(iova);
  return true;
}

std::uint64_t MockDomain::mapped_bytes() const {
  const std::lock_guard guard(*lock_);
  return table_.mapped_bytes();
}

std::uint64_t MockDomain::stale_leaves() const {
  const std::lock_guard guard(*lock_);
  return table_.stale_leaves();
}

bool MockDomain::dirty_tracking_on() const {
  const std::lock_guard guard(*lock_);
  return tracking_;
}

bool MockDomain::mark_dirty(std::uint64_t iova) {
  const std::lock_guard guard(*lock_);
  return table_.mark_dirty(iova);
}

bool MockDomain::reaches(std::uint64_t spa) const {
  const std::lock_guard guard(*lock_);
  return table_.reaches(spa);
}

}  // namespace iommusim::drivers
