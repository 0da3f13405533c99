// SPDX-License-Identifier: Apache-2.0
// A machine for tests of the mapping core: memory, a process with two kinds of it, and a mock IOMMU.
#pragma once

#include <cerrno>
#include <memory>
#include <vector>

#include "domain/errno_name.h"
#include "drivers/mock_device.h"
#include "drivers/mock_iommu.h"
#include "hal/buddy_frames.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"
#include "hooked_process.h"
#include "pagetable/mapping.h"

namespace iommusim::pagetable {

inline constexpr std::uint64_t kHeap = 0x10000000;    ///< 32 MiB whose frames appear on touch
inline constexpr std::uint64_t kLinear = 0x40000000;  ///< 64 MiB at kLinearSpa, physically contiguous
inline constexpr std::uint64_t kLinearSpa = 0x80000000;
inline constexpr std::uint64_t kReadOnly = 0x60000000;  ///< 1 MiB that the process may not write

struct Rig {
  explicit Rig(drivers::MockOptions options = {}) : iommu(os, options) {
    user.map_frames(kHeap, 32 << 20, hal::kUserRead | hal::kUserWrite);
    user.map_linear(kLinear, 64 << 20, kLinearSpa, hal::kUserRead | hal::kUserWrite);
    user.map_frames(kReadOnly, 1 << 20, hal::kUserRead);
  }

  std::unique_ptr<domain::Domain> make_domain() {
    std::unique_ptr<domain::Domain> out;
    device.alloc_domain(out);
    return out;
  }
  static drivers::MockDomain& mock(domain::Domain& domain) { return dynamic_cast<drivers::MockDomain&>(domain); }

  std::shared_ptr<PageArray> pages(std::uint64_t va, std::uint64_t bytes, bool writable = true) {
    return std::make_shared<PageArray>(os, process, va, bytes, writable);
  }
  /// A whole mapping. 0 or an errno.
  int map(IoPagetable& space, std::uint64_t va, std::uint64_t bytes, std::uint64_t iova,
          unsigned prot = domain::kRead | domain::kWrite) {
    Mapping mapping(space);
    int error = mapping.place({{pages(va, bytes, (prot & domain::kWrite) != 0), va % kPage, bytes}}, prot, true, iova);
    if (!error) error = mapping.fill();
    if (!error) mapping.publish();
    return error;
  }
  int unmap(IoPagetable& space, std::uint64_t iova, std::uint64_t bytes) {
    std::uint64_t removed = 0;
    const int error = space.unmap({iova, iova + (bytes - 1)}, removed);
    return error ? error : (removed == 0 ? ENOENT : 0);
  }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 0x1000000, 128 << 20};
  hal::SimProcess user{os, memory, frames};
  HookedProcess process{user};
  drivers::MockIommu iommu;
  drivers::MockDevice& device = iommu.add_device();
};

}  // namespace iommusim::pagetable
