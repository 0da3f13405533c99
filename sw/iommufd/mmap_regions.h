// SPDX-License-Identifier: Apache-2.0
// What programs can map through the descriptor of a context (uapi 9): regions of memory that drivers announced, each
// with an offset and a length that must be named exactly. A mapping holds `users` of the region's owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "hal/os.h"
#include "iommufd/object_table.h"

namespace iommusim::iommufd {

class MmapRegions {
 public:
  MmapRegions(hal::Os& os, ObjectTable& objects) : objects_(objects), lock_(os.make_mutex()) {}

  /// At the lowest free offset, from the second page on. ENOMEM. May throw std::bad_alloc.
  int add(Object& owner, std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset_out);
  void remove(std::uint64_t offset);
  /// All of that owner: it ends.
  void remove_all(const Object& owner);
  /// ENXIO: no region is exactly that, or its owner goes away.
  int map(std::uint64_t offset, std::uint64_t bytes, std::uint64_t& spa_out, UsersRef<Object>& hold_out);

 private:
  struct Region {
    Object* owner;
    std::uint64_t spa;
    std::uint64_t bytes;
  };
  ObjectTable& objects_;
  std::unique_ptr<hal::Mutex> lock_;  // taken before that of the table; an owner removes its regions before it ends
  std::map<std::uint64_t, Region> regions_;  // by offset
};

}  // namespace iommusim::iommufd
