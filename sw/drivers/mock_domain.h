// SPDX-License-Identifier: Apache-2.0
// A page table of MockIommu as the core sees it. A cleared leaf stays reachable by DMA ("stale") until a sync() or
// flush_all() covers it, as in hardware, so that a test notices a page that is given back too early. With dirty
// tracking on, writes of devices (MockDevice::access, mark_dirty) leave a mark on the leaf.
#pragma once

#include "drivers/mock_iommu.h"
#include "drivers/mock_page_table.h"

namespace iommusim::drivers {

class MockDomain final : public domain::Domain {
 public:
  /// `suits`: the devices of that MockDeviceOptions::format can be attached.
  MockDomain(MockIommu& iommu, std::uint32_t suits) : MockDomain(iommu, suits, iommu.options_, 0) {}
  /// `flags`: of domain::DomainFlags.
  MockDomain(MockIommu& iommu, std::uint32_t suits, const MockFormat& format, unsigned flags);
  /// A contradiction while a device is attached.
  ~MockDomain() override;

  std::uint64_t page_sizes() const override { return format_.page_sizes; }
  std::uint64_t aperture_start() const override { return format_.aperture_start; }
  std::uint64_t aperture_last() const override { return format_.aperture_last; }
  /// Uses the largest leaves that fit.
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) override;
  /// A leaf that lies partly inside is cleared, and counted, whole.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) override;
  bool sync(domain::Gather& gather) override;
  bool flush_all() override;
  bool invalidate(std::uint64_t start, std::uint64_t last) override;
  void free_tables(domain::Gather& gather) override { gather = domain::Gather{}; }  // it has none
  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) override;
  const void* iommu_driver() const override { return MockIommu::driver(); }

  bool tracks_dirty() const override { return (flags_ & domain::kTracksDirty) != 0; }
  int set_dirty_tracking(bool on) override;
  int read_dirty(std::uint64_t iova, std::uint64_t bytes, bool clear, domain::DirtySink& sink,
                 domain::Gather& gather) override;

  unsigned flags() const { return flags_; }
  std::uint64_t smallest_page() const { return format_.page_sizes & (~format_.page_sizes + 1); }
  std::uint64_t mapped_bytes() const;
  std::uint64_t stale_leaves() const;
  bool dirty_tracking_on() const;
  /// As if a device had written at `iova`. False: nothing is mapped there.
  bool mark_dirty(std::uint64_t iova);
  /// Could DMA through this domain touch the page at `spa`, by a present or a stale leaf?
  bool reaches(std::uint64_t spa) const;

 private:
  friend class MockDevice;
  /// What a device reaches at `iova`; a write leaves its mark.
  bool translate(std::uint64_t iova, bool write, std::uint64_t& spa_out);

  MockIommu& iommu_;
  const std::uint32_t suits_;
  const MockFormat format_;
  const unsigned flags_;
  std::uint64_t attached_ = 0;        // guarded by the IOMMU's lock
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  MockPageTable table_;
  bool tracking_ = false;
};

}  // namespace iommusim::drivers
