// SPDX-License-Identifier: Apache-2.0
// HW_QUEUE_ALLOC (uapi 7.3).
#include "iommufd/hw_queue.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"
#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {

using pagetable::kMaxAddress;
using pagetable::kPage;

HwQueue::~HwQueue() {
  if (driver_) {
    const std::lock_guard guard(viommu_->hw_queues_lock());
    auto& queues = viommu_->hw_queues_locked();
    queues.erase(std::find(queues.begin(), queues.end(), this));
    driver_.reset();
  }
  if (!access_) return;
  if (pinned_bytes_ != 0) access_->unpin(pinned_iova_, pinned_bytes_);
  hal::ensure(access_->detach() == 0, "an internal access changes by itself");
  // ENOENT: the queue was never published, nor was the access, which the call takes back next.
  viommu_->context().objects().remove_owned(access_->id(), Access::kType);
}

int HwQueue::pin(std::uint64_t iova, std::uint64_t length, std::uint64_t& spa_out) {
  ObjectTable& objects = viommu_->context().objects();
  if (const int error = access_->attach_to(objects.add_users(viommu_->parent().ioas()))) return error;
  std::vector<std::uint64_t> spas;
  if (const int error = access_->pin(iova, length, false, spas)) return error;
  pinned_iova_ = iova;
  pinned_bytes_ = length;
  for (std::size_t i = 1; i < spas.size(); ++i)
    if (spas[i] != spas[i - 1] + kPage) return EFAULT;
  spa_out = spas.front() + iova % kPage;
  return 0;
}

int HwQueue::depend_on_locked(const domain::HwQueue& driver) {
  for (HwQueue* queue : viommu_->hw_queues_locked()) {
    if (queue->driver_.get() != &driver) continue;
    CallHold<HwQueue> hold = viommu_->context().objects().try_hold(*queue);
    if (!hold) return EIO;
    earlier_ = to_users(std::move(hold));
    return 0;
  }
  return EIO;
}

int HwQueue::start(const domain::HwQueueRequest& request) {
  const std::lock_guard guard(viommu_->hw_queues_lock());
  auto& queues = viommu_->hw_queues_locked();
  queues.reserve(queues.size() + 1);
  std::unique_ptr<domain::HwQueue> made;
  if (const int error = viommu_->driver().alloc_hw_queue(request, made)) return error;
  if (const domain::HwQueue* earlier = made->depends_on())
    if (const int error = depend_on_locked(*earlier)) return error;
  driver_ = std::move(made);
  queues.push_back(this);
  return 0;
}

int handle(Call& call, uapi::IommuHwQueueAlloc& argument) {
  if (argument.flags != 0 || argument.type == 0) return EOPNOTSUPP;
  const std::uint64_t iova = argument.nesting_parent_iova;
  const std::uint64_t length = argument.length;
  if (length == 0) return EINVAL;
  if (iova + (length - 1) < iova) return EOVERFLOW;
  Viommu* const viommu = call.hold<Viommu>(argument.viommu_id);
  if (!viommu) return ENOENT;
  if (!viommu->driver().offers_hw_queue(argument.type)) return EOPNOTSUPP;
  if (length > kMaxAddress - (kPage - 1) - iova % kPage) return ERANGE;
  Context& context = call.context();
  AccessOptions options;
  options.pins = pagetable::AccessPins::kLocking;
  // Two ids, the queue's first; the queue ends first as well, and lets the access go.
  Reservation queue_id = context.objects().reserve(std::make_unique<HwQueue>(context.objects().add_users(*viommu)));
  auto& queue = static_cast<HwQueue&>(queue_id.object());
  Reservation access_id = context.objects().reserve(std::make_unique<Access>(context, false, std::move(options)));
  Access& access = static_cast<Access&>(access_id.object());
  call.adopt_owned(std::move(access_id));
  call.adopt(std::move(queue_id));
  queue.own(access);
  domain::HwQueueRequest request{argument.type, argument.index, iova, length, 0};
  if (const int error = queue.pin(iova, length, request.spa)) return error;
  if (const int error = queue.start(request)) return error;
  argument.out_hw_queue_id = queue.id();
  return 0;
}

}  // namespace iommusim::iommufd
