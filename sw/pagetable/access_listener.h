// SPDX-License-Identifier: Apache-2.0
// An in-kernel user of an address space, as the mapping core sees it: somebody to ask for pins back. The core knows
// nothing of objects and ids, so entering and leaving is how it keeps the user alive during a call to it.
#pragma once

#include <cstdint>

namespace iommusim::pagetable {

class AccessListener {
 public:
  virtual ~AccessListener() = default;
  /// False: it is going away and must not be called.
  virtual bool try_enter() = 0;
  virtual void leave() = 0;
  /// Its pins of [iova, iova + bytes) must be given back, now or soon. Called without locks.
  virtual void unmapping(std::uint64_t iova, std::uint64_t bytes) = 0;
};

}  // namespace iommusim::pagetable
