// SPDX-License-Identifier: Apache-2.0
// A device behind MockIommu, with a software DMA engine: access() tells what a DMA at this moment would reach.
#pragma once

#include "drivers/mock_domain.h"

namespace iommusim::drivers {

class MockDevice final : public domain::Device {
 public:
  MockDevice(MockIommu& iommu, domain::Group& group, const MockDeviceOptions& options)
      : iommu_(iommu), group_(group), options_(options) {}

  domain::Group& group() override { return group_; }
  bool capable(domain::Capability capability) const override { return options_.capabilities.count(capability) != 0; }
  std::vector<domain::ReservedRegion> reserved_regions() const override { return options_.reserved; }
  int alloc_domain(std::unique_ptr<domain::Domain>& out) override;
  /// EINVAL for a domain of another IOMMU or format.
  int attach(domain::Domain& domain) override;
  void block() override;

  /// The DMA that the device could do now. False: it faults.
  bool access(std::uint64_t iova, bool write, std::uint64_t& spa_out) const;
  /// Null when blocked.
  MockDomain* attached() const;

 private:
  void switch_to(MockDomain* domain);

  MockIommu& iommu_;
  domain::Group& group_;
  const MockDeviceOptions options_;
  MockDomain* domain_ = nullptr;  // guarded by the IOMMU's lock
};

}  // namespace iommusim::drivers
