// SPDX-License-Identifier: Apache-2.0
// A nested page table of MockIommu: over its parent it translates nothing itself, but it has an "IOTLB" of four words,
// filled at its creation with a value of the program and cleared by invalidations, so that a program sees what arrived.
#pragma once

#include <array>

#include "drivers/mock_domain.h"
#include "uapi/test_command.h"

namespace iommusim::drivers {

class MockVirtualIommu;

class MockNestedDomain final : public domain::NestedDomain {
 public:
  /// `in`: the vIOMMU that it was made in, or nullptr. Both outlive it.
  MockNestedDomain(MockIommu& iommu, MockDomain& parent, MockVirtualIommu* in, std::uint32_t word);
  /// A contradiction while a device is attached.
  ~MockNestedDomain() override;
  /// Judges flags and data of a program. EOPNOTSUPP, EINVAL, EFAULT.
  static int make(MockIommu& iommu, domain::Domain& parent, MockVirtualIommu* in, unsigned flags,
                  const domain::UserData& data, std::unique_ptr<domain::NestedDomain>& out);

  bool can_invalidate() const override { return true; }
  /// Entry by entry.
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override;

  /// `index` below uapi::kMockWords.
  std::uint32_t word(std::uint32_t index) const;
  MockDomain& parent() { return parent_; }
  MockVirtualIommu* virtual_iommu() { return in_; }

 private:
  friend class MockDevice;
  int invalidate_one(const uapi::MockHwptInvalidate& entry);

  MockIommu& iommu_;
  MockDomain& parent_;
  MockVirtualIommu* const in_;
  std::uint64_t attached_ = 0;                           // guarded by the IOMMU's lock
  std::array<std::uint32_t, uapi::kMockWords> words_{};  // likewise
};

}  // namespace iommusim::drivers
