// SPDX-License-Identifier: Apache-2.0
// Allocations of the test program that fail on demand, each thread for itself: the n-th from now, or all.
#pragma once

#include <cstdint>

namespace iommusim::iommufd {

extern thread_local std::uint64_t allocations_left;  ///< the allocation that will fail, counted down; 0: none
extern thread_local bool fail_all;
extern thread_local bool suspended;  ///< the test's or the mock's own allocations
extern thread_local std::uint64_t allocations_failed;

/// None fails while it lives.
class Exempt {
 public:
  Exempt() : before_(suspended) { suspended = true; }
  ~Exempt() { suspended = before_; }
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;

 private:
  const bool before_;
};

}  // namespace iommusim::iommufd
