// SPDX-License-Identifier: Apache-2.0
// The mock hardware of the test command, and a program's memory to pass structures in.
#pragma once

#include <cerrno>
#include <vector>

#include "drivers/mock_device.h"
#include "drivers/mock_virtual_iommu.h"
#include "hal/buddy_frames.h"
#include "hal/sim_process.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::drivers {

struct MockProgram {
  static constexpr std::uint64_t kData = 0x10000;

  MockProgram() { process.map_frames(kData, 4096, hal::kUserRead | hal::kUserWrite); }

  template <class T>
  domain::UserData data(std::uint32_t type, const T& value, std::uint32_t length = sizeof(T)) {
    process.copy_to_user(kData, &value, sizeof value);
    return {&process, type, length, kData};
  }
  template <class T>
  domain::UserArray array(std::uint32_t type, const std::vector<T>& values) {
    process.copy_to_user(kData, values.data(), values.size() * sizeof(T));
    return {&process, type, sizeof(T), static_cast<std::uint32_t>(values.size()), kData};
  }
  std::unique_ptr<domain::Domain> paging(MockDevice& of, unsigned flags = 0) {
    std::unique_ptr<domain::Domain> out;
    of.alloc_paging({flags, {}}, out);
    return out;
  }
  static MockDeviceOptions all() {
    MockDeviceOptions options;
    options.capabilities.insert({domain::Capability::kDirtyTracking, domain::Capability::kPageRequests});
    options.pasid_width = uapi::kMockPasidWidth;
    return options;
  }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 0x1000000, 1 << 20};
  hal::SimProcess process{os, memory, frames};
  MockIommu iommu{os, mock_test_hardware(&frames, &memory)};
  MockDevice& device = iommu.add_lone_device(all());
};

}  // namespace iommusim::drivers
