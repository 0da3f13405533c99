// SPDX-License-Identifier: Apache-2.0
// The two protections of an object against destruction, as values. CallHold lasts for a call: DESTROY waits for it (or,
// in the `busy` policy, refuses because of it); it is never kept across the return to user space. UsersRef lasts for a
// relation between objects: DESTROY refuses with EBUSY. to_users() turns the first into the second.
// Both are move-only, may be empty, and end before the table does. Not thread-safe as values; the counts behind are.
#pragma once

#include <utility>

#include "iommufd/object.h"

namespace iommusim::iommufd {

/// The untyped half of the two templates below: one raised counter, and the duty to lower it.
class Protection {
 public:
  enum class Kind { kCall, kUsers };

  Protection() = default;
  /// Takes over a counter that has been raised already.
  Protection(ObjectTable& table, Object& object, Kind kind) : table_(&table), object_(&object), kind_(kind) {}
  ~Protection() { drop(); }
  Protection(Protection&& other) noexcept
      : table_(other.table_), object_(std::exchange(other.object_, nullptr)), kind_(other.kind_) {}
  Protection& operator=(Protection&& other) noexcept;

  explicit operator bool() const { return object_ != nullptr; }
  Object* object() const { return object_; }
  ObjectTable& table() const { return *table_; }
  void drop() noexcept;
  /// Gives the duty away; the counter stays raised.
  Object* forget() { return std::exchange(object_, nullptr); }

 private:
  ObjectTable* table_ = nullptr;
  Object* object_ = nullptr;
  Kind kind_ = Kind::kCall;
};

/// The short protection. Made by ObjectTable::hold().
template <class T>
class CallHold : public Protection {
 public:
  CallHold() = default;
  CallHold(ObjectTable& table, T& object) : Protection(table, object, Kind::kCall) {}
  T* get() const { return static_cast<T*>(object()); }
  T* operator->() const { return get(); }
  T& operator*() const { return *get(); }
};

/// The same protection of an object whose type has been looked at.
template <class T>
CallHold<T> narrow(CallHold<Object>&& hold) {
  return CallHold<T>(hold.table(), static_cast<T&>(*hold.forget()));
}

/// The long protection. Made by to_users(), or from another one by again().
template <class T>
class UsersRef : public Protection {
 public:
  UsersRef() = default;
  UsersRef(ObjectTable& table, T& object) : Protection(table, object, Kind::kUsers) {}
  UsersRef again() const;
  T* get() const { return static_cast<T*>(object()); }
  T* operator->() const { return get(); }
  T& operator*() const { return *get(); }
};

/// Turns the protection of a call into one that outlives the call: DESTROY stops waiting and gives EBUSY instead.
template <class T>
UsersRef<T> to_users(CallHold<T>&& hold);

}  // namespace iommusim::iommufd
