// SPDX-License-Identifier: Apache-2.0
// The four words of a nested page table, and what clears them.
#include "drivers/mock_nested.h"

#include <cerrno>
#include <cstddef>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::drivers {

MockNestedDomain::MockNestedDomain(MockIommu& iommu, MockDomain& parent, MockVirtualIommu* in, std::uint32_t word)
    : iommu_(iommu), parent_(parent), in_(in) {
  words_.fill(word);
  const std::lock_guard guard(*iommu_.lock_);
  ++iommu_.live_domains_;
}

MockNestedDomain::~MockNestedDomain() {
  const std::lock_guard guard(*iommu_.lock_);
  --iommu_.live_domains_;
  hal::ensure(attached_ == 0, "a nested domain is destroyed while a device uses it");
}

int MockNestedDomain::make(MockIommu& iommu, domain::Domain& parent, MockVirtualIommu* in, unsigned flags,
                           const domain::UserData& data, std::unique_ptr<domain::NestedDomain>& out) {
  auto* const mine = dynamic_cast<MockDomain*>(&parent);
  if (!mine) return EINVAL;
  if ((flags & ~static_cast<unsigned>(domain::kForPasids)) != 0) return EOPNOTSUPP;
  if (data.type != uapi::kMockHwptType) return EOPNOTSUPP;
  uapi::MockHwptData wanted{};
  constexpr std::size_t kFirstVersion = offsetof(uapi::MockHwptData, pagetable_type);
  if (const int error = data.read(&wanted, sizeof wanted, kFirstVersion)) return error;
  out = std::make_unique<MockNestedDomain>(iommu, *mine, in, wanted.iotlb);
  return 0;
}

int MockNestedDomain::invalidate(const domain::UserArray& entries, std::uint32_t& done) {
  if (entries.type != uapi::kMockHwptInvalidateType) return EINVAL;
  for (done = 0; done < entries.count; ++done) {
    uapi::MockHwptInvalidate entry{};
    if (const int error = entries.read_entry(done, &entry, sizeof entry)) return error;
    if (const int error = invalidate_one(entry)) return error;
  }
  return 0;
}

int MockNestedDomain::invalidate_one(const uapi::MockHwptInvalidate& entry) {
  if ((entry.flags & ~uapi::kMockInvalidateAll) != 0) return EOPNOTSUPP;
  if (entry.iotlb_id >= uapi::kMockWords) return EINVAL;  // with ALL, too
  const std::lock_guard guard(*iommu_.lock_);
  if ((entry.flags & uapi::kMockInvalidateAll) != 0)
    words_.fill(0);
  else
    words_[entry.iotlb_id] = 0;
  return 0;
}

std::uint32_t MockNestedDomain::word(std::uint32_t index) const {
  const std::lock_guard guard(*iommu_.lock_);
  return words_.at(index);
}

}  // namespace iommusim::drivers
