// SPDX-License-Identifier: Apache-2.0
// Life and work of an access. Its lock is never held while its owner's callback runs: the callback gives pins back.
#include "iommufd/access.h"

#include <cerrno>

#include "hal/contradiction.h"
#include "iommufd/no_memory.h"

namespace iommusim::iommufd {

using pagetable::AccessPins;
using pagetable::Interval;
using pagetable::kMaxAddress;

Access::Access(Context& context, bool keeps, AccessOptions options)
    : Object(kType),
      context_(context),
      keep_(keeps ? context.shared_from_this() : nullptr),
      options_(std::move(options)),
      lock_(context.os().make_mutex()) {}

Access::~Access() { hal::ensure(!ioas_, "an access ends while attached"); }

int access_create(Context& context, AccessOptions options, Access*& out) {
  if ((options.pins == AccessPins::kRevocable) != static_cast<bool>(options.unmapping)) return EINVAL;
  return or_enomem([&] {
    auto made = std::make_unique<Access>(context, true, std::move(options));
    Access& access = *made;
    context.objects().reserve(std::move(made)).publish_owned();
    out = &access;
    return 0;
  });
}

void access_destroy(Access& access) {
  const std::shared_ptr<Context> context =
      access.context().shared_from_this();  // the access may be the last to keep it
  hal::ensure(access.detach() == 0, "an access is destroyed while it attaches or detaches");
  hal::ensure(context->objects().remove_owned(access.id(), Access::kType) == 0, "an access is destroyed twice");
}

int Access::attach(ObjectId ioas_id) {
  return or_enomem([&] {
    std::unique_lock guard(*lock_);
    if (changing_) return EBUSY;
    if (ioas_) return EINVAL;
    CallHold<Ioas> to = context_.objects().hold<Ioas>(ioas_id);
    return to ? change_locked(guard, to_users(std::move(to))) : ENOENT;
  });
}

int Access::attach_to(UsersRef<Ioas> ioas) {
  std::unique_lock guard(*lock_);
  return change_locked(guard, std::move(ioas));
}

int Access::replace(ObjectId ioas_id) {
  return or_enomem([&] {
    std::unique_lock guard(*lock_);
    if (changing_) return EBUSY;
    if (!ioas_) return ENOENT;
    CallHold<Ioas> to = context_.objects().hold<Ioas>(ioas_id);
    if (!to) return ENOENT;
    return to.get() == ioas_.get() ? 0 : change_locked(guard, to_users(std::move(to)));
  });
}

int Access::detach() {
  std::unique_lock guard(*lock_);
  if (changing_) return EBUSY;
  return ioas_ ? change_locked(guard, {}) : 0;
}

// R6.1, R6.6: into the new one, all pins back, out of the old one.
int Access::change_locked(std::unique_lock<hal::Mutex>& guard, UsersRef<Ioas> to) {
  std::uint64_t key = 0;
  if (to)
    if (const int error = to->space().join(*this, options_.pins, key)) return error;
  if (ioas_) {
    changing_ = true;
    guard.unlock();
    if (options_.unmapping) options_.unmapping(0, kMaxAddress);
    guard.lock();
    changing_ = false;
    hal::ensure(pins_ == 0, "an access keeps pins of an address space that it leaves");
    ioas_->space().leave(key_);
  }
  ioas_ = std::move(to);
  key_ = key;
  return 0;
}

int Access::range_of(std::uint64_t iova, std::uint64_t bytes, Interval& out) const {
  if (bytes == 0) return EINVAL;
  out = {iova, iova + (bytes - 1)};
  return out.last < iova ? EOVERFLOW : 0;
}

int Access::pin(std::uint64_t iova, std::uint64_t bytes, bool write, std::vector<std::uint64_t>& spas) {
  if (options_.pins == AccessPins::kNone) return EINVAL;
  Interval range;
  if (const int error = range_of(iova, bytes, range)) return error;
  return or_enomem([&] {
    const std::lock_guard guard(*lock_);
    if (!ioas_ || changing_) return ENOENT;
    const int error = ioas_->space().pin(range, write, options_.pins, spas);
    if (!error) ++pins_;
    return error;
  });
}

void Access::unpin(std::uint64_t iova, std::uint64_t bytes) {
  const std::lock_guard guard(*lock_);
  hal::ensure(ioas_ && pins_ != 0, "an access unpins what it has not pinned");
  ioas_->space().unpin({iova, iova + (bytes - 1)}, options_.pins);
  --pins_;
}

int Access::copy(std::uint64_t iova, void* buffer, std::uint64_t bytes, bool write) {
  Interval range;
  if (const int error = range_of(iova, bytes, range)) return error;
  return or_enomem([&] {
    const std::lock_guard guard(*lock_);
    if (!ioas_ || changing_) return ENOENT;
    return ioas_->space().copy(context_.host().memory, range, buffer, write);
  });
}

bool Access::area_start(std::uint64_t number, std::uint64_t& iova_out) {
  const std::lock_guard guard(*lock_);
  return ioas_ && ioas_->space().area_start(number, iova_out);
}

bool Access::try_enter() {
  CallHold<Access> hold = context_.objects().try_hold(*this);
  return hold.forget() != nullptr;
}

void Access::leave() { CallHold<Access>(context_.objects(), *this).drop(); }

void Access::unmapping(std::uint64_t iova, std::uint64_t bytes) {
  if (options_.unmapping) options_.unmapping(iova, bytes);
}

}  // namespace iommusim::iommufd
