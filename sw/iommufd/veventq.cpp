// SPDX-License-Identifier: Apache-2.0
// VEVENTQ_ALLOC and the two ends of the queue (uapi 6.2).
//
// The reader copies without the queue's lock, because that may take a page fault of the program. What it copies cannot
// change under it: it takes a copy of the mark, which counts as read even if a further loss moves the mark on (R10.4);
// any other front stays where it is, for only readers remove.
#include "iommufd/veventq.h"

#include <cerrno>
#include <mutex>
#include <new>

#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kHeader = sizeof(uapi::IommuVeventHeader);
constexpr std::uint32_t kMaxSequence = 0x7FFFFFFF;

}  // namespace

Veventq::Veventq(UsersRef<Viommu> viommu, std::uint32_t type, std::uint32_t depth)
    : Object(kType),
      viommu_(std::move(viommu)),
      type_(type),
      depth_(depth),
      read_lock_(viommu_->context().os().make_mutex()),
      lock_(viommu_->context().os().make_mutex()),
      mark_(1) {
  mark_.front().lost = true;
}

Veventq::~Veventq() {
  if (joined_) viommu_->remove_veventq(*this);
}

int Veventq::join() {
  const int error = viommu_->add_veventq(*this);
  joined_ = error == 0;
  return error;
}

void Veventq::set_file(VeventFile* file) {
  const std::lock_guard guard(*lock_);
  file_ = file;
}

void Veventq::queue_changed_locked() {
  if (file_) file_->tell(!queue_.empty());
}

int Veventq::report(const void* data, std::size_t bytes) noexcept {
  Events fresh;
  bool no_memory = false;
  try {
    const auto* from = static_cast<const unsigned char*>(data);
    fresh.push_back({0, false, std::vector<unsigned char>(from, from + bytes)});
  } catch (const std::bad_alloc&) {
    fresh.clear();
    no_memory = true;
  }
  const std::lock_guard guard(*lock_);
  const bool full = stored_ == depth_;
  // The mark is the tail or is not in the queue.
  if (!queue_.empty() && queue_.back().lost) mark_.splice(mark_.begin(), queue_, std::prev(queue_.end()));
  if (full || no_memory) {
    mark_.front().sequence = sequence_;
    queue_.splice(queue_.end(), mark_);
  } else {
    fresh.front().sequence = sequence_;
    queue_.splice(queue_.end(), fresh);
    ++stored_;
  }
  sequence_ = (sequence_ + 1) & kMaxSequence;
  queue_changed_locked();
  return no_memory && !full ? ENOMEM : 0;
}

// One event. 0 and `done` grown; ENOSPC: does not fit, or there is none; EFAULT.
int Veventq::copy_front(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& done) {
  uapi::IommuVeventHeader header{};
  const Event* event = nullptr;  // null: the mark
  {
    const std::lock_guard guard(*lock_);
    if (queue_.empty()) return ENOSPC;
    const Event& front = queue_.front();
    header.flags = front.lost ? uapi::kIommuVeventLostEvents : 0U;
    header.sequence = front.sequence;
    if (kHeader + front.data.size() > bytes - done) return ENOSPC;
    if (front.lost) {
      mark_.splice(mark_.begin(), queue_, queue_.begin());
      queue_changed_locked();
    } else {
      event = &front;
    }
  }
  if (caller.copy_to_user(user_va + done, &header, kHeader) != 0) {
    const std::lock_guard guard(*lock_);
    if (!event && queue_.empty()) {  // nothing came meanwhile that tells of the loss
      queue_.splice(queue_.end(), mark_);
      queue_changed_locked();
    }
    return EFAULT;
  }
  done += kHeader;
  if (!event) return 0;
  if (!event->data.empty() && caller.copy_to_user(user_va + done, event->data.data(), event->data.size()) != 0)
    return EFAULT;
  done += event->data.size();
  Events gone;
  const std::lock_guard guard(*lock_);
  gone.splice(gone.begin(), queue_, queue_.begin());
  --stored_;
  queue_changed_locked();
  return 0;
}

std::int64_t Veventq::read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes) {
  const std::lock_guard guard(*read_lock_);
  std::uint64_t done = 0;
  int error = 0;
  while (error == 0) error = copy_front(caller, user_va, bytes, done);
  return done == 0 && error == EFAULT ? -EFAULT : static_cast<std::int64_t>(done);
}

int handle(Call& call, uapi::IommuVeventqAlloc& argument) {
  if (argument.flags != 0 || argument.reserved != 0 || argument.type == 0) return EOPNOTSUPP;
  if (argument.veventq_depth == 0) return EINVAL;
  Viommu* const viommu = call.hold<Viommu>(argument.viommu_id);
  if (!viommu) return ENOENT;
  Context& context = call.context();
  Veventq& queue = call.create(
      std::make_unique<Veventq>(context.objects().add_users(*viommu), argument.type, argument.veventq_depth));
  if (const int error = queue.join()) return error;
  argument.out_veventq_id = queue.id();
  return call.open(std::make_shared<VeventFile>(context.shared_from_this(), queue), argument.out_veventq_fd);
}

}  // namespace iommusim::iommufd
