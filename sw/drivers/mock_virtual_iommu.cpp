// SPDX-License-Identifier: Apache-2.0
// The vIOMMU of the mock hardware (test_ops L.4 and L.5).
#include "drivers/mock_virtual_iommu.h"

#include <cerrno>
#include <cstddef>
#include <mutex>

#include "drivers/mock_device.h"
#include "hal/contradiction.h"

namespace iommusim::drivers {
namespace {

constexpr std::uint64_t kRegionBytes = 2 * 4096;
constexpr unsigned kRegionOrder = 1;

}  // namespace

class MockVirtualIommu::Queue final : public domain::HwQueue {
 public:
  Queue(MockVirtualIommu& of, std::uint32_t index) : of_(of), index_(index) { of_.queues_[index_] = this; }
  ~Queue() override { of_.queues_[index_] = nullptr; }
  domain::HwQueue* depends_on() override { return index_ > 0 ? of_.queues_[index_ - 1] : nullptr; }

 private:
  MockVirtualIommu& of_;
  const std::uint32_t index_;
};

MockVirtualIommu::MockVirtualIommu(MockIommu& iommu, const domain::VirtualIommuRequest& request)
    : iommu_(iommu), parent_(dynamic_cast<MockDomain&>(*request.parent)), ports_(*request.ports) {}

MockVirtualIommu::~MockVirtualIommu() {
  if (region_ != 0) iommu_.options_.frames->free(region_, kRegionOrder);
}

int MockVirtualIommu::make(MockIommu& iommu, const domain::VirtualIommuRequest& request,
                           std::unique_ptr<domain::VirtualIommu>& out) {
  if (!dynamic_cast<MockDomain*>(request.parent)) return EINVAL;
  auto made = std::make_unique<MockVirtualIommu>(iommu, request);
  if (request.data.given())
    if (const int error = made->announce(request.data)) return error;
  out = std::move(made);
  return 0;
}

int MockVirtualIommu::announce(const domain::UserData& data) {
  uapi::MockViommuData exchange{};
  constexpr std::size_t kFirstVersion = offsetof(uapi::MockViommuData, out_mmap_offset);
  if (const int error = data.read(&exchange, sizeof exchange, kFirstVersion)) return error;
  if (!iommu_.options_.frames || !iommu_.options_.memory) return ENOMEM;
  region_ = iommu_.options_.frames->alloc(kRegionOrder);
  if (region_ == 0) return ENOMEM;
  iommu_.options_.memory->write(region_, &exchange.in_data, sizeof exchange.in_data);
  if (const int error = ports_.announce_mmap(region_, kRegionBytes, exchange.out_mmap_offset)) return error;
  exchange.out_data = exchange.in_data;
  exchange.out_mmap_length = kRegionBytes;
  return data.write(&exchange, sizeof exchange);
}

int MockVirtualIommu::alloc_nested(domain::Device& /*device*/, unsigned flags, const domain::UserData& data,
                                   std::unique_ptr<domain::NestedDomain>& out) {
  return MockNestedDomain::make(iommu_, parent_, this, flags, data, out);
}

int MockVirtualIommu::add_device(domain::Device& device, std::uint64_t virtual_id) {
  auto* const mine = dynamic_cast<MockDevice*>(&device);
  if (!mine) return EINVAL;
  const std::lock_guard guard(*iommu_.lock_);
  devices_.emplace(virtual_id, mine);
  return 0;
}

void MockVirtualIommu::remove_device(domain::Device& /*device*/, std::uint64_t virtual_id) {
  const std::lock_guard guard(*iommu_.lock_);
  devices_.erase(virtual_id);
}

bool MockVirtualIommu::virtual_id_locked(const domain::Device& device, std::uint64_t& out) const {
  for (const auto& [id, known] : devices_) {
    if (known != &device) continue;
    out = id;
    return true;
  }
  return false;
}

int MockVirtualIommu::invalidate(const domain::UserArray& entries, std::uint32_t& done) {
  done = 0;
  if (entries.type != uapi::kMockViommuInvalidateType) return EINVAL;
  std::vector<uapi::MockViommuInvalidate> all;
  if (const int error = entries.read_all(all)) return error;
  for (; done < all.size(); ++done)
    if (const int error = invalidate_one(all[done])) return error;
  return 0;
}

int MockVirtualIommu::invalidate_one(const uapi::MockViommuInvalidate& entry) {
  if ((entry.flags & ~uapi::kMockInvalidateAll) != 0) return EOPNOTSUPP;
  if (entry.cache_id >= uapi::kMockWords) return EINVAL;
  const std::lock_guard guard(*iommu_.lock_);
  const auto device = devices_.find(entry.vdev_id);
  if (device == devices_.end()) return EINVAL;
  if ((entry.flags & uapi::kMockInvalidateAll) != 0)
    device->second->cache_.fill(0);
  else
    device->second->cache_[entry.cache_id] = 0;
  return 0;
}

int MockVirtualIommu::alloc_hw_queue(const domain::HwQueueRequest& request, std::unique_ptr<domain::HwQueue>& out) {
  if (request.index >= uapi::kMockHwQueues) return EINVAL;
  if (queues_[request.index]) return EEXIST;
  if (request.index > 0 && !queues_[request.index - 1]) return EIO;
  out = std::make_unique<Queue>(*this, request.index);
  return 0;
}

}  // namespace iommusim::drivers
