// SPDX-License-Identifier: Apache-2.0
// An I/O address space as an object with an id. Its page tables (HwptPaging) and accesses hold `users` of it.
#pragma once

#include <memory>
#include <vector>

#include "hal/os.h"
#include "iommufd/object.h"
#include "pagetable/io_pagetable.h"

namespace iommusim::iommufd {

class HwptPaging;

class Ioas final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kIoas;

  explicit Ioas(hal::Os& os) : Object(kType), mutex_(os.make_mutex()), space_(os) {}

  pagetable::IoPagetable& space() { return space_; }

  /// Serialises attaching through this address space; taken before the locks of groups and of space().
  hal::Mutex& mutex() { return *mutex_; }
  /// In order of creation; guarded by mutex().
  std::vector<HwptPaging*>& hwpts_locked() { return hwpts_; }

 private:
  std::unique_ptr<hal::Mutex> mutex_;
  std::vector<HwptPaging*> hwpts_;
  pagetable::IoPagetable space_;
};

}  // namespace iommusim::iommufd
