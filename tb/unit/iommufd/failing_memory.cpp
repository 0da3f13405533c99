// SPDX-License-Identifier: Apache-2.0
// The allocation functions of the test program.
#include "failing_memory.h"

#include <cstdlib>
#include <new>

namespace iommusim::iommufd {

thread_local std::uint64_t allocations_left = 0;
thread_local bool fail_all = false;
thread_local bool suspended = false;
thread_local std::uint64_t allocations_failed = 0;

static void* allocate_or_fail(std::size_t bytes) {
  if (!suspended && (fail_all || (allocations_left != 0 && --allocations_left == 0))) {
    ++allocations_failed;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace iommusim::iommufd

// Not inlined: the compiler would see malloc meet its own delete.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return iommusim::iommufd::allocate_or_fail(bytes); }
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return iommusim::iommufd::allocate_or_fail(bytes); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
