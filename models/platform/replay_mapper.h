// SPDX-License-Identifier: Apache-2.0
// What makes and removes the mappings of a trace replay: a user program behind iommufd, or a driver of the kernel on
// the DMA API. Each function of the device has an address space of its own. Errors are positive errno numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "traces/event.h"

namespace iommusim::domain {
class Device;
}

namespace iommusim::platform {

class Kernel;

class ReplayMapper {
 public:
  virtual ~ReplayMapper() = default;
  /// The next function, numbered from 0: its DMA is translated from here on.
  virtual int open(domain::Device& device) = 0;
  /// An M line.
  virtual int map(std::size_t function, const traces::Event& event) = 0;
  virtual int unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) = 0;
  /// An I line; `bytes` 0: the whole address space.
  virtual int invalidate(std::size_t function, std::uint64_t iova, std::uint64_t bytes) = 0;
  /// System-physical address of the trace's address 0.
  virtual std::uint64_t memory() const = 0;
  /// Where the device finds what the trace has at `iova`, of something mapped.
  virtual std::uint64_t address(std::size_t /*function*/, std::uint64_t iova) const { return iova; }
  /// Removes what is left, detaches.
  virtual void close() = 0;
};

}  // namespace iommusim::platform
