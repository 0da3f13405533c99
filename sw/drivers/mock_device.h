// SPDX-License-Identifier: Apache-2.0
// A device behind MockIommu, with a software DMA engine: access() tells what a DMA at this moment would reach. It can
// ask for pages, report events to a guest, and has a cache of four words that a guest's invalidations clear.
#pragma once

#include <array>
#include <map>

#include "drivers/mock_domain.h"
#include "drivers/mock_nested.h"
#include "uapi/test_command.h"

namespace iommusim::drivers {

class MockDevice final : public domain::Device {
 public:
  MockDevice(MockIommu& iommu, domain::Group& group, const MockDeviceOptions& options);

  domain::Group& group() override { return group_; }
  bool capable(domain::Capability capability) const override { return options_.capabilities.count(capability) != 0; }
  std::vector<domain::ReservedRegion> reserved_regions() const override { return options_.reserved; }
  int hw_info(std::uint32_t type, domain::HwInfo& out) override;
  unsigned pasid_width() const override { return options_.pasid_width; }
  const void* iommu_driver() const override { return MockIommu::driver(); }
  const void* iommu_instance() const override { return &iommu_; }

  int alloc_domain(std::unique_ptr<domain::Domain>& out) override;
  bool takes_paging_requests() const override { return iommu_.options_.programmable; }
  int alloc_paging(const domain::PagingRequest& request, std::unique_ptr<domain::Domain>& out) override;
  bool can_nest() const override { return iommu_.options_.programmable; }
  int alloc_nested(domain::Domain& parent, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override;
  bool offers_virtual_iommu(std::uint32_t type) const override;
  int alloc_virtual_iommu(const domain::VirtualIommuRequest& request,
                          std::unique_ptr<domain::VirtualIommu>& out) override;

  /// EINVAL for a domain of another IOMMU or format, and for one that tracks dirty pages when the device cannot.
  int attach(domain::Domain& domain) override;
  void block() override;
  /// ENOENT: in a vIOMMU that does not know the device.
  int attach_nested(domain::NestedDomain& domain) override;
  /// On uapi::kMockPasidOfErrors every second call in a row fails, ENOMEM.
  int attach_pasid(std::uint32_t pasid, domain::Translation& translation) override;
  void block_pasid(std::uint32_t pasid) override;

  int set_page_fault_handler(domain::PageFaultHandler* handler) override;
  void answer_page_fault(const domain::PageFaultGroup& group, domain::PageAnswer answer) override;

  /// The DMA that the device could do now. False: it faults.
  bool access(std::uint64_t iova, bool write, std::uint64_t& spa_out) const;
  /// The paging domain of requests without a PASID; null when blocked or nested.
  MockDomain* attached() const;
  /// What translates requests with `pasid` (0: without); null when blocked.
  domain::Translation* translation(std::uint32_t pasid) const;
  /// PASIDs with an attachment.
  std::vector<std::uint32_t> pasids() const;
  /// Hands a page request to the handler, if there is one.
  void request_pages(const domain::PageFaultGroup& group);
  std::uint64_t answers(domain::PageAnswer answer) const;
  /// Sends its number in the guest as an event there. ENOENT: no guest has it, or by number 0. EOPNOTSUPP, ENOMEM.
  int report_virtual_event();
  /// `index` below uapi::kMockWords.
  std::uint32_t cache_word(std::uint32_t index) const;

 private:
  friend class MockVirtualIommu;
  /// Whether it suits the device: 0 or EINVAL.
  int check_locked(domain::Translation& translation) const;
  int alloc_kind(std::uint32_t kind, unsigned flags, std::unique_ptr<domain::Domain>& out);
  static void count_locked(domain::Translation* translation, bool up);
  void enter_virtual_iommu(MockVirtualIommu* in, std::uint64_t number);

  MockIommu& iommu_;
  domain::Group& group_;
  const MockDeviceOptions options_;

  // Guarded by the IOMMU's lock.
  domain::Translation* translation_ = nullptr;
  std::map<std::uint32_t, domain::Translation*> by_pasid_;
  bool next_pasid_fails_ = false;
  std::array<std::uint32_t, uapi::kMockWords> cache_;
  domain::PageFaultHandler* handler_ = nullptr;
  unsigned requests_under_way_ = 0;
  std::unique_ptr<hal::WaitQueue> requests_over_;
  std::array<std::uint64_t, 3> answers_{};

  std::unique_ptr<hal::Mutex> guest_lock_;  // guards what follows; no other lock of the mock is taken under it
  MockVirtualIommu* guest_ = nullptr;
  std::uint64_t number_in_guest_ = 0;
};

}  // namespace iommusim::drivers
