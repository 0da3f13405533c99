// SPDX-License-Identifier: Apache-2.0
// What the object table of a context holds: the common part of all types (semantics.md 1). The teardown of a type is
// its destructor; it runs outside of all locks of the table, may wait, and cannot fail. Counters and state belong to
// ObjectTable, whose lock guards them; see object_table.cpp for what they mean.
#pragma once

#include <cstdint>

namespace iommusim::iommufd {

using ObjectId = std::uint32_t;

enum class ObjectType {
  kIoas,
  kHwptPaging,
  kHwptNested,
  kDevice,
  kAccess,
  kFault,
  kViommu,
  kVdevice,
  kVeventq,
  kHwQueue,
  kSelftest,  ///< of builds for tests
};
const char* name_of(ObjectType type);

class ObjectTable;

class Object {
 public:
  explicit Object(ObjectType type) : type_(type) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  ObjectType type() const { return type_; }
  ObjectId id() const { return id_; }

 private:
  friend class ObjectTable;
  /// kReserved: has an id, invisible. kLive: visible. kDraining: invisible while somebody waits to remove it. kGone:
  /// out of the table, its destructor runs or is about to.
  enum class State { kReserved, kLive, kDraining, kGone };

  const ObjectType type_;
  ObjectId id_ = 0;
  State state_ = State::kReserved;
  bool owned_ = false;       // by the kernel, which alone removes it
  std::uint32_t calls_ = 0;  // holders of the short protection (CallHold)
  std::uint32_t users_ = 0;  // holders of the long protection (UsersRef)
};

}  // namespace iommusim::iommufd
