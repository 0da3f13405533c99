// SPDX-License-Identifier: Apache-2.0
// Attachments of MockDevice, and what it does as a device. What it makes for programs is in mock_device_alloc.cpp.
#include "drivers/mock_device.h"

#include <cerrno>
#include <mutex>

#include "drivers/mock_virtual_iommu.h"

namespace iommusim::drivers {

MockDevice::MockDevice(MockIommu& iommu, domain::Group& group, const MockDeviceOptions& options)
    : iommu_(iommu),
      group_(group),
      options_(options),
      requests_over_(iommu.os_.make_wait_queue()),
      guest_lock_(iommu.os_.make_mutex()) {
  cache_.fill(uapi::kMockDeviceCacheDefault);
}

int MockDevice::check_locked(domain::Translation& translation) const {
  auto* const nested = dynamic_cast<MockNestedDomain*>(&translation);
  auto* const paging = nested ? &nested->parent() : dynamic_cast<MockDomain*>(&translation);
  if (!paging || &paging->iommu_ != &iommu_ || paging->suits_ != options_.format) return EINVAL;
  return paging->tracks_dirty() && !capable(domain::Capability::kDirtyTracking) ? EINVAL : 0;
}

void MockDevice::count_locked(domain::Translation* translation, bool up) {
  if (!translation) return;
  auto* const nested = dynamic_cast<MockNestedDomain*>(translation);
  std::uint64_t& count = nested ? nested->attached_ : static_cast<MockDomain*>(translation)->attached_;
  count += up ? 1 : ~0ULL;
}

void MockDevice::enter_virtual_iommu(MockVirtualIommu* in, std::uint64_t number) {
  const std::lock_guard guard(*guest_lock_);
  guest_ = in;
  number_in_guest_ = number;
}

int MockDevice::attach(domain::Domain& domain) {
  if (const int error = iommu_.enter(MockCall::kAttach)) return error;
  {
    const std::lock_guard guard(*iommu_.lock_);
    if (const int error = check_locked(domain)) return error;
    count_locked(translation_, false);
    translation_ = &domain;
    count_locked(translation_, true);
  }
  enter_virtual_iommu(nullptr, 0);
  return 0;
}

int MockDevice::attach_nested(domain::NestedDomain& domain) {
  if (const int error = iommu_.enter(MockCall::kAttach)) return error;
  MockVirtualIommu* in = nullptr;
  std::uint64_t number = 0;
  {
    const std::lock_guard guard(*iommu_.lock_);
    if (const int error = check_locked(domain)) return error;
    in = static_cast<MockNestedDomain&>(domain).virtual_iommu();
    if (in && !in->virtual_id_locked(*this, number)) return ENOENT;
    count_locked(translation_, false);
    translation_ = &domain;
    count_locked(translation_, true);
  }
  enter_virtual_iommu(in, number);
  return 0;
}

void MockDevice::block() {
  (void)iommu_.enter(MockCall::kBlock);
  {
    const std::lock_guard guard(*iommu_.lock_);
    count_locked(translation_, false);
    translation_ = nullptr;
  }
  enter_virtual_iommu(nullptr, 0);
}

int MockDevice::attach_pasid(std::uint32_t pasid, domain::Translation& translation) {
  if (const int error = iommu_.enter(MockCall::kAttach)) return error;
  if (pasid == 0 || pasid >> options_.pasid_width != 0) return EINVAL;
  const std::lock_guard guard(*iommu_.lock_);
  if (const int error = check_locked(translation)) return error;
  if (pasid == uapi::kMockPasidOfErrors && iommu_.options_.programmable) {
    next_pasid_fails_ = !next_pasid_fails_;
    if (!next_pasid_fails_) return ENOMEM;
  }
  domain::Translation*& mine = by_pasid_[pasid];
  count_locked(mine, false);
  mine = &translation;
  count_locked(mine, true);
  return 0;
}

void MockDevice::block_pasid(std::uint32_t pasid) {
  (void)iommu_.enter(MockCall::kBlock);
  const std::lock_guard guard(*iommu_.lock_);
  if (pasid == uapi::kMockPasidOfErrors) next_pasid_fails_ = false;
  const auto mine = by_pasid_.find(pasid);
  if (mine == by_pasid_.end()) return;
  count_locked(mine->second, false);
  by_pasid_.erase(mine);
}

int MockDevice::set_page_fault_handler(domain::PageFaultHandler* handler) {
  if (!capable(domain::Capability::kPageRequests)) return EOPNOTSUPP;
  const std::lock_guard guard(*iommu_.lock_);
  handler_ = handler;
  while (requests_under_way_ != 0) requests_over_->wait(*iommu_.lock_);
  return 0;
}

void MockDevice::request_pages(const domain::PageFaultGroup& group) {
  domain::PageFaultHandler* handler = nullptr;
  {
    const std::lock_guard guard(*iommu_.lock_);
    handler = handler_;
    if (!handler) {
      ++answers_[static_cast<std::size_t>(domain::PageAnswer::kInvalid)];
      return;
    }
    ++requests_under_way_;
  }
  handler->page_fault(group);
  const std::lock_guard guard(*iommu_.lock_);
  if (--requests_under_way_ == 0) requests_over_->wake_all();
}

void MockDevice::answer_page_fault(const domain::PageFaultGroup& /*group*/, domain::PageAnswer answer) {
  const std::lock_guard guard(*iommu_.lock_);
  ++answers_[static_cast<std::size_t>(answer)];
}

std::uint64_t MockDevice::answers(domain::PageAnswer answer) const {
  const std::lock_guard guard(*iommu_.lock_);
  return answers_[static_cast<std::size_t>(answer)];
}

int MockDevice::report_virtual_event() {
  const std::lock_guard guard(*guest_lock_);
  if (!guest_ || number_in_guest_ == 0) return ENOENT;
  const uapi::MockVevent event{static_cast<std::uint32_t>(number_in_guest_)};
  return guest_->ports().report_event(uapi::kMockVeventType, &event, sizeof event);
}

bool MockDevice::access(std::uint64_t iova, bool write, std::uint64_t& spa_out) const {
  const std::lock_guard guard(*iommu_.lock_);
  if (!translation_) return false;
  auto* const nested = dynamic_cast<MockNestedDomain*>(translation_);
  MockDomain& domain = nested ? nested->parent() : *static_cast<MockDomain*>(translation_);
  return domain.translate(iova, write, spa_out);
}

MockDomain* MockDevice::attached() const {
  const std::lock_guard guard(*iommu_.lock_);
  return dynamic_cast<MockDomain*>(translation_);
}

domain::Translation* MockDevice::translation(std::uint32_t pasid) const {
  const std::lock_guard guard(*iommu_.lock_);
  if (pasid == 0) return translation_;
  const auto mine = by_pasid_.find(pasid);
  return mine == by_pasid_.end() ? nullptr : mine->second;
}

std::vector<std::uint32_t> MockDevice::pasids() const {
  const std::lock_guard guard(*iommu_.lock_);
  std::vector<std::uint32_t> out;
  for (const auto& [pasid, translation] : by_pasid_) out.push_back(pasid);
  return out;
}

std::uint32_t MockDevice::cache_word(std::uint32_t index) const {
  const std::lock_guard guard(*iommu_.lock_);
  return cache_.at(index);
}

}  // namespace iommusim::drivers
