// SPDX-License-Identifier: Apache-2.0
// A vIOMMU of MockIommu: knows devices by the guest's numbers, clears their caches when told, has two command queues
// of which the second needs the first, and a region of two pages that the program may map.
#pragma once

#include <array>
#include <map>

#include "domain/virtual_iommu.h"
#include "drivers/mock_nested.h"

namespace iommusim::drivers {

class MockVirtualIommu final : public domain::VirtualIommu {
 public:
  /// Judges the program's data. EINVAL, EFAULT, ENOMEM.
  static int make(MockIommu& iommu, const domain::VirtualIommuRequest& request,
                  std::unique_ptr<domain::VirtualIommu>& out);
  MockVirtualIommu(MockIommu& iommu, const domain::VirtualIommuRequest& request);
  ~MockVirtualIommu() override;

  bool can_nest() const override { return true; }
  int alloc_nested(domain::Device& device, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override;
  bool can_invalidate() const override { return true; }
  /// Fetches all entries before it does the first.
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override;
  int add_device(domain::Device& device, std::uint64_t virtual_id) override;
  void remove_device(domain::Device& device, std::uint64_t virtual_id) override;
  bool offers_hw_queue(std::uint32_t type) const override { return type == uapi::kMockHwQueueType; }
  int alloc_hw_queue(const domain::HwQueueRequest& request, std::unique_ptr<domain::HwQueue>& out) override;

  domain::VirtualIommuPorts& ports() { return ports_; }

 private:
  friend class MockDevice;
  class Queue;

  int announce(const domain::UserData& data);
  /// False: the guest knows no such device.
  bool virtual_id_locked(const domain::Device& device, std::uint64_t& out) const;
  int invalidate_one(const uapi::MockViommuInvalidate& entry);

  MockIommu& iommu_;
  MockDomain& parent_;
  domain::VirtualIommuPorts& ports_;
  std::uint64_t region_ = 0;                          // its physical address; 0: none
  std::map<std::uint64_t, MockDevice*> devices_;      // by the guest's number; guarded by the IOMMU's lock
  std::array<Queue*, uapi::kMockHwQueues> queues_{};  // the core serialises who touches them
};

}  // namespace iommusim::drivers
