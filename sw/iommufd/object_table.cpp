// SPDX-License-Identifier: Apache-2.0
// The life of an object.
//
// Reserved. The object is built and has an id, but every look-up says ENOENT. Its creator fills in the rest and may
// fail freely: the end of the Reservation takes it out again. The dispatcher publishes only after the reply has reached
// user space (R1.2), so a program that guesses ids never meets something half made.
//
// Live. Two counters protect it, for two different reasons. `calls` counts look-ups of calls that are running now. Such
// a call ends soon, by itself, and whoever wants the object gone can wait for it. `users` counts relations with other
// objects, which last as long as these do: waiting for them could take for ever, so DESTROY answers EBUSY. A call that
// builds a relation turns its first protection into the second (to_users) and never has a moment without one.
//
// Draining. In the policy `wait` (iommufd as first published) DESTROY makes the object invisible, waits until `calls`
// is 0, and only then looks at `users`: a call in flight may still have changed it. EBUSY makes the object visible
// again. While it drains, a second DESTROY and every look-up get ENOENT; the id stays taken. In the policy `busy`
// (newest Linux, R1.5) nothing drains: a call in flight is a reason for EBUSY at once. Linux has a small gap there
// between two decrements at the end of a call and waits for it; here both happen under one lock, so there is no gap.
//
// Devices and accesses are owned by the kernel. DESTROY gives EBUSY for them at once, since nothing that a call in
// flight does could change that, and so a program cannot make them invisible to the kernel for a moment either. The
// kernel itself never takes no for an answer (R1.6): it drains, and a user that is left then is a contradiction. A call
// that does not end is a bug worth a log line.
//
// Gone. The slot is empty, the id is free for the next creation, and the destructor runs without any lock of the table:
// it may block on page-table locks and hardware, and drops the object's own relations, which may free its neighbours.
//
// Tombstone. A vDEVICE goes with its device, when the kernel unbinds that. The program never gave the id back, and must
// not meet another object under it: the slot is empty and stays so (R1.7).
#include "iommufd/object_table.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>

#include "hal/contradiction.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kComplaintNs = 60'000'000'000;  // R1.6

}  // namespace

const char* name_of(ObjectType type) {
  switch (type) {
    case ObjectType::kIoas:
      return "IOAS";
    case ObjectType::kHwptPaging:
      return "HWPT_PAGING";
    case ObjectType::kHwptNested:
      return "HWPT_NESTED";
    case ObjectType::kDevice:
      return "DEVICE";
    case ObjectType::kAccess:
      return "ACCESS";
    case ObjectType::kFault:
      return "FAULT";
    case ObjectType::kViommu:
      return "VIOMMU";
    case ObjectType::kVdevice:
      return "VDEVICE";
    case ObjectType::kVeventq:
      return "VEVENTQ";
    case ObjectType::kHwQueue:
      return "HW_QUEUE";
    case ObjectType::kSelftest:
      return "SELFTEST";
  }
  return "?";
}

Protection& Protection::operator=(Protection&& other) noexcept {
  if (this == &other) return *this;
  drop();
  table_ = other.table_;
  object_ = std::exchange(other.object_, nullptr);
  kind_ = other.kind_;
  return *this;
}

void Protection::drop() noexcept {
  Object* const object = std::exchange(object_, nullptr);
  if (!object) return;
  if (kind_ == Kind::kCall)
    table_->drop_call(*object);
  else
    table_->drop_users(*object);
}

Reservation::~Reservation() {
  if (table_) table_->abort(*object_);
}
void Reservation::publish() noexcept { std::exchange(table_, nullptr)->publish(*object_, false); }
void Reservation::publish_owned() noexcept { std::exchange(table_, nullptr)->publish(*object_, true); }

ObjectTable::ObjectTable(hal::Os& os, DestroyPolicy policy, CallObserver* observer)
    : os_(os), policy_(policy), observer_(observer), lock_(os.make_mutex()), changed_(os.make_wait_queue()) {}

Reservation ObjectTable::reserve(std::unique_ptr<Object> object) {
  const std::lock_guard guard(*lock_);
  std::size_t slot = lowest_free_;
  while (slot < slots_.size() && (slots_[slot] || tombstones_[slot])) ++slot;
  if (slot == slots_.size()) {
    tombstones_.resize(slot + 1);
    slots_.resize(slot + 1);
  }
  object->id_ = static_cast<ObjectId>(slot + 1);
  lowest_free_ = slot + 1;
  slots_[slot] = std::move(object);
  return Reservation(*this, *slots_[slot]);
}

void ObjectTable::publish(Object& object, bool owned) noexcept {
  const std::lock_guard guard(*lock_);
  object.owned_ = owned;
  object.state_ = Object::State::kLive;
}

void ObjectTable::abort(Object& object) noexcept {
  std::unique_ptr<Object> gone;
  const std::lock_guard guard(*lock_);
  hal::ensure(object.calls_ == 0 && object.users_ == 0, "a half-made object is in use");
  gone = take_locked(object);
}

Object* ObjectTable::find_locked(ObjectId id) const {
  if (id == 0 || id > slots_.size()) return nullptr;
  Object* const object = slots_[id - 1].get();
  return object && object->state_ == Object::State::kLive ? object : nullptr;
}

Object* ObjectTable::raise_calls(ObjectId id, const ObjectType* type) {
  const std::lock_guard guard(*lock_);
  Object* const object = find_locked(id);
  if (!object || (type && object->type() != *type)) return nullptr;
  ++object->calls_;
  return object;
}

bool ObjectTable::try_raise_calls(Object& object) {
  const std::lock_guard guard(*lock_);
  if (object.state_ != Object::State::kLive) return false;
  ++object.calls_;
  return true;
}

void ObjectTable::raise_users(Object& object) {
  const std::lock_guard guard(*lock_);
  ++object.users_;
}

void ObjectTable::exchange_call_for_users(Object& object) {
  const std::lock_guard guard(*lock_);
  ++object.users_;
  lower_calls_locked(object);
}

void ObjectTable::drop_call(Object& object) noexcept {
  const std::lock_guard guard(*lock_);
  lower_calls_locked(object);
}

void ObjectTable::lower_calls_locked(Object& object) noexcept {
  if (--object.calls_ == 0 && object.state_ == Object::State::kDraining) changed_->wake_all();
}

void ObjectTable::drop_users(Object& object) noexcept {
  const std::lock_guard guard(*lock_);
  --object.users_;
}

std::unique_ptr<Object> ObjectTable::take_locked(Object& object) noexcept {
  object.state_ = Object::State::kGone;
  if (compat_ == &object) compat_ = nullptr;
  const std::size_t slot = object.id() - 1;
  if (slot < lowest_free_) lowest_free_ = slot;
  return std::move(slots_[slot]);
}

void ObjectTable::wait_for_calls_locked(const Object& object) {
  if (object.calls_ == 0) return;
  if (observer_) observer_->removal_waits(object.id());
  while (object.calls_ != 0)
    if (!changed_->wait_for(*lock_, kComplaintNs) && object.calls_ != 0)
      os_.log("iommufd: object " + std::to_string(object.id()) + " is still in use by a call");
}

int ObjectTable::destroy(ObjectId id) {
  std::unique_ptr<Object> gone;  // destroyed last, after the lock is let go
  const std::lock_guard guard(*lock_);
  Object* const object = find_locked(id);
  if (!object) return ENOENT;
  if (object->owned_) return EBUSY;
  if (policy_ == DestroyPolicy::kWait) {
    object->state_ = Object::State::kDraining;
    wait_for_calls_locked(*object);
    object->state_ = Object::State::kLive;
  }
  if (object->users_ != 0 || object->calls_ != 0) return EBUSY;
  gone = take_locked(*object);
  return 0;
}

int ObjectTable::remove_owned(ObjectId id, ObjectType type) {
  std::unique_ptr<Object> gone;
  const std::lock_guard guard(*lock_);
  Object* const object = find_locked(id);
  if (!object || object->type() != type || !object->owned_) return ENOENT;
  object->state_ = Object::State::kDraining;
  wait_for_calls_locked(*object);
  hal::ensure(object->users_ == 0, "the kernel removes an object that something refers to");
  gone = take_locked(*object);
  return 0;
}

void ObjectTable::drop_or_remove(Protection&& users) {
  std::unique_ptr<Object> gone;
  const std::lock_guard guard(*lock_);
  Object& object = *users.forget();
  if (--object.users_ == 0 && object.calls_ == 0 && object.state_ == Object::State::kLive) gone = take_locked(object);
}

bool ObjectTable::bury(Object& held) {
  std::unique_ptr<Object> gone;
  const std::lock_guard guard(*lock_);
  const bool removing = held.state_ == Object::State::kDraining;  // by a DESTROY, which waits for this hold, too
  lower_calls_locked(held);
  if (removing) return false;
  held.state_ = Object::State::kDraining;
  wait_for_calls_locked(held);
  hal::ensure(held.users_ == 0, "the kernel removes an object that something refers to");
  tombstones_[held.id() - 1] = true;
  gone = take_locked(held);
  return true;
}

void ObjectTable::set_compat(Object* object) {
  const std::lock_guard guard(*lock_);
  compat_ = object;
}

bool ObjectTable::publish_compat(Reservation&& reservation) {
  const std::lock_guard guard(*lock_);
  if (compat_) return false;
  compat_ = reservation.object_;
  compat_->state_ = Object::State::kLive;
  reservation.table_ = nullptr;
  return true;
}

Object* ObjectTable::raise_calls_of_compat() {
  const std::lock_guard guard(*lock_);
  if (!compat_ || compat_->state_ != Object::State::kLive) return nullptr;
  ++compat_->calls_;
  return compat_;
}

bool ObjectTable::empty() {
  const std::lock_guard guard(*lock_);
  return empty_locked();
}

ObjectId ObjectTable::highest_id() {
  const std::lock_guard guard(*lock_);
  return static_cast<ObjectId>(slots_.size());
}

bool ObjectTable::empty_locked() const {
  for (const auto& slot : slots_)
    if (slot) return false;
  return std::find(tombstones_.begin(), tombstones_.end(), true) == tombstones_.end();
}

void ObjectTable::release() {
  for (bool progress = true; progress;) {
    progress = false;
    for (auto& slot : slots_) {
      // What the kernel owns goes with its owner, which may be another object here.
      if (!slot || slot->owned_ || slot->users_ != 0 || slot->calls_ != 0) continue;
      const std::unique_ptr<Object> gone = std::move(slot);  // its destructor takes the table's lock
      progress = true;
    }
  }
  std::string left;
  for (const auto& slot : slots_)
    if (slot)
      left += std::string(" ") + name_of(slot->type()) + " " + std::to_string(slot->id()) + " (" +
              std::to_string(slot->users_) + " users, " + std::to_string(slot->calls_) + " calls)";
  if (left.empty()) return;
  os_.log("iommufd: objects leak at the end of a context:" + left);
  hal::contradiction("objects leak at the end of a context:" + left);
}

}  // namespace iommusim::iommufd
