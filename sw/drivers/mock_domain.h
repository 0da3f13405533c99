// SPDX-License-Identifier: Apache-2.0
// The page table of MockIommu: a map of leaves. A cleared leaf stays reachable by DMA ("stale") until a sync() or
// flush_all() covers it, as in hardware, so that a test notices a page that is given back too early.
#pragma once

#include <map>

#include "drivers/mock_iommu.h"

namespace iommusim::drivers {

class MockDomain final : public domain::Domain {
 public:
  MockDomain(MockIommu& iommu, std::uint32_t format);
  /// A contradiction while a device is attached.
  ~MockDomain() override;

  std::uint64_t page_sizes() const override { return iommu_.options_.page_sizes; }
  std::uint64_t aperture_start() const override { return iommu_.options_.aperture_start; }
  std::uint64_t aperture_last() const override { return iommu_.options_.aperture_last; }
  /// Uses the largest leaves that fit.
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) override;
  /// A leaf that lies partly inside is cleared, and counted, whole.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) override;
  bool sync(domain::Gather& gather) override;
  bool flush_all() override;
  bool invalidate(std::uint64_t start, std::uint64_t last) override;
  void free_tables(domain::Gather& gather) override { gather = domain::Gather{}; }  // it has none
  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) override;

  std::uint64_t mapped_bytes() const;
  std::uint64_t stale_leaves() const;
  /// Could DMA through this domain touch the page at `spa`, by a present or a stale leaf?
  bool reaches(std::uint64_t spa) const;

 private:
  friend class MockDevice;
  struct Leaf {
    std::uint64_t bytes;
    std::uint64_t spa;
    unsigned prot;
  };
  using Leaves = std::multimap<std::uint64_t, Leaf>;  // by IOVA; present leaves never overlap, stale ones may

  /// Of leaves that do not overlap: the one that holds `iova`, and where it starts.
  static const Leaf* find(const Leaves& leaves, std::uint64_t iova, std::uint64_t& start);
  /// What a device reaches at `iova`: a stale leaf counts as much as a present one.
  bool translate(std::uint64_t iova, bool write, std::uint64_t& spa_out) const;
  void forget_locked(std::uint64_t start, std::uint64_t last);
  int check_locked(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) const;

  MockIommu& iommu_;
  const std::uint32_t format_;
  std::uint64_t attached_ = 0;        // guarded by the IOMMU's lock
  std::unique_ptr<hal::Mutex> lock_;  // guards the leaves
  Leaves leaves_;
  Leaves stale_;
};

}  // namespace iommusim::drivers
