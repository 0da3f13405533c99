// SPDX-License-Identifier: Apache-2.0
// A device behind the mock IOMMU with a DMA domain of its own, for tests of the DMA API.
#pragma once

#include <gtest/gtest.h>

#include <exception>

#include "dma/dma_domain.h"
#include "drivers/mock_device.h"
#include "hal/buddy_frames.h"
#include "hal/contradiction.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::dma {

struct Machine {
  explicit Machine(const Options& options = {}, const drivers::MockDeviceOptions& device_options = {},
                   const drivers::MockOptions& iommu_options = {})
      : iommu(os, iommu_options), device(iommu.add_device(device_options)) {
    EXPECT_EQ(DmaDomain::create(os, frames, device, options, statistics, domain), 0);
  }
  ~Machine() {
    iommu.set_hook({});
    try {
      if (domain) domain->close();
    } catch (const hal::Contradiction&) {
      EXPECT_GT(std::uncaught_exceptions(), 0);  // a property that failed leaves mappings
      return;
    }
    domain.reset();
    EXPECT_EQ(frames.frames_in_use(), 0U);
    EXPECT_EQ(iommu.live_domains(), 0U);
  }

  std::uint64_t map(std::uint64_t spa, std::uint64_t bytes, Direction direction = Direction::kBidirectional,
                    unsigned cpu = 0) {
    std::uint64_t iova = 0;
    EXPECT_EQ(domain->map(spa, bytes, direction, iova, cpu), 0);
    return iova;
  }
  /// The address that the device's DMA reaches; 0: it faults.
  std::uint64_t reached(std::uint64_t iova, bool write = false) const {
    std::uint64_t spa = 0;
    return device.access(iova, write, spa) ? spa : 0;
  }
  std::uint64_t calls(drivers::MockCall call) const { return iommu.calls(call); }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 1ULL << 20, 64ULL << 20};
  drivers::MockIommu iommu;
  drivers::MockDevice& device;
  Statistics statistics;
  std::unique_ptr<DmaDomain> domain;
};

inline Options deferred(std::uint32_t entries = 256, std::uint64_t timeout_ns = 3'600'000'000'000) {
  Options options;
  options.invalidation = Invalidation::kDeferred;
  options.queue_entries = entries;
  options.queue_timeout_ns = timeout_ns;
  return options;
}

inline Options explicitly() {
  Options options;
  options.invalidation = Invalidation::kExplicit;
  return options;
}

}  // namespace iommusim::dma
