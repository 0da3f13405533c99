// SPDX-License-Identifier: Apache-2.0
// The objects of one context by id: lowest free number from 1, in one space for all types. Creation is in two steps,
// reserve() and then publish or abort, and the end of a Reservation is the abort; removal respects the protections of
// protection.h. Owns the objects. object_table.cpp tells the life of an object.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "hal/os.h"
#include "iommufd/observer.h"
#include "iommufd/protection.h"

namespace iommusim::iommufd {

/// What DESTROY does when a call is using the object (R1.5a): wait for its end, or refuse at once as newest Linux does.
enum class DestroyPolicy { kWait, kBusy };

/// An object with an id that nobody sees yet. Its end without a publish destroys the object and frees the id.
class Reservation {
 public:
  Reservation(ObjectTable& table, Object& object) : table_(&table), object_(&object) {}
  ~Reservation();
  Reservation(Reservation&& other) noexcept : table_(std::exchange(other.table_, nullptr)), object_(other.object_) {}
  Reservation& operator=(Reservation&&) = delete;
  ObjectId id() const { return object_->id(); }
  Object& object() const { return *object_; }
  void publish() noexcept;
  /// For what the kernel keeps itself and removes with remove_owned(): DESTROY gives EBUSY until then.
  void publish_owned() noexcept;
  /// Stays as it is, seen by nobody, until the end of the context.
  void leave_hidden() noexcept { table_ = nullptr; }

 private:
  friend class ObjectTable;
  ObjectTable* table_;
  Object* object_;
};

class ObjectTable {
 public:
  /// `observer` may be nullptr.
  ObjectTable(hal::Os& os, DestroyPolicy policy, CallObserver* observer);

  Reservation reserve(std::unique_ptr<Object> object);

  /// Empty when the id is unknown or not visible, or (typed) names another type.
  CallHold<Object> hold_any(ObjectId id) { return wrap<Object>(raise_calls(id, nullptr)); }
  template <class T>
  CallHold<T> hold(ObjectId id) {
    static constexpr ObjectType kType = T::kType;
    return wrap<T>(raise_calls(id, &kType));
  }
  /// For an object that is known to exist; empty when it is not visible.
  template <class T>
  CallHold<T> try_hold(T& object) {
    return wrap<T>(try_raise_calls(object) ? &object : nullptr);
  }
  /// One more long protection of what is reserved or protected already.
  template <class T>
  UsersRef<T> add_users(T& object) {
    raise_users(object);
    return UsersRef<T>(*this, object);
  }

  /// DESTROY by a program. 0, ENOENT, EBUSY.
  int destroy(ObjectId id);
  /// Removal by the kernel of what was published with publish_owned() (R1.6). Waits for calls in flight, so the caller
  /// must not hold the object. 0, or ENOENT if there is no such object of that type.
  int remove_owned(ObjectId id, ObjectType type);
  /// Drops a long protection, and removes the object if nothing else protects it. Does not wait (R1.6, automatic page
  /// tables).
  void drop_or_remove(Protection&& users);

  /// Removal by the kernel of what a program may destroy as well: waits for calls in flight, `hold` aside. The id stays
  /// taken and names nothing until the end of the context (R1.7). False: a program was faster, or is about to be; the
  /// object may still be there if its DESTROY fails.
  template <class T>
  bool tombstone(CallHold<T>&& hold) {
    return bury(*hold.forget());
  }

  // One object of the context may be marked as the one that the emulation of a VFIO container uses. The mark is not a
  // protection: it goes with the object (R1.5).

  /// An object that the caller protects or has not published yet.
  void set_compat(Object* object);
  /// Publishes the object and marks it. False: another one has the mark, and nothing is done.
  bool publish_compat(Reservation&& reservation);
  template <class T>
  CallHold<T> hold_compat() {
    return wrap<T>(raise_calls_of_compat());
  }

  /// No id is taken, not even a reserved one or one of a tombstone (R1.9).
  bool empty();
  /// Runs `work` if the table is empty, and keeps it so meanwhile. False: it is not.
  template <class Work>
  bool if_empty(Work work) {
    const std::lock_guard guard(*lock_);
    if (!empty_locked()) return false;
    work();
    return true;
  }
  /// All visible objects of a type, by id.
  template <class T>
  std::vector<CallHold<T>> hold_all() {
    std::vector<CallHold<T>> all;
    for (ObjectId id = 1, end = highest_id(); id <= end; ++id)
      if (CallHold<T> one = hold<T>(id)) all.push_back(std::move(one));
    return all;
  }
  /// The end of the context: destroys all objects, those that others refer to after these (R1.8). A protection that
  /// nobody drops is a contradiction.
  void release();

 private:
  friend class Protection;
  friend class Reservation;
  template <class T>
  friend UsersRef<T> to_users(CallHold<T>&& hold);

  template <class T>
  CallHold<T> wrap(Object* object) {
    return object ? CallHold<T>(*this, static_cast<T&>(*object)) : CallHold<T>();
  }
  Object* raise_calls(ObjectId id, const ObjectType* type);
  bool try_raise_calls(Object& object);
  Object* raise_calls_of_compat();
  bool bury(Object& held);
  void raise_users(Object& object);
  void exchange_call_for_users(Object& object);
  void drop_call(Object& object) noexcept;
  void drop_users(Object& object) noexcept;
  void publish(Object& object, bool owned) noexcept;
  void abort(Object& object) noexcept;

  ObjectId highest_id();
  bool empty_locked() const;
  Object* find_locked(ObjectId id) const;
  void lower_calls_locked(Object& object) noexcept;
  std::unique_ptr<Object> take_locked(Object& object) noexcept;
  void wait_for_calls_locked(const Object& object);

  hal::Os& os_;
  const DestroyPolicy policy_;
  CallObserver* const observer_;
  std::unique_ptr<hal::Mutex> lock_;            // guards everything below and the counters of all objects
  std::unique_ptr<hal::WaitQueue> changed_;     // a draining object has no calls any more
  std::vector<std::unique_ptr<Object>> slots_;  // [id - 1]
  std::vector<bool> tombstones_;                // [id - 1], as long as slots_; a slot with one is never used again
  std::size_t lowest_free_ = 0;                 // no free slot below it
  Object* compat_ = nullptr;
};

template <class T>
UsersRef<T> UsersRef<T>::again() const {
  return table().add_users(*get());
}

template <class T>
UsersRef<T> to_users(CallHold<T>&& hold) {
  ObjectTable& table = hold.table();
  T& object = *hold;
  table.exchange_call_for_users(*hold.forget());
  return UsersRef<T>(table, object);
}

}  // namespace iommusim::iommufd
