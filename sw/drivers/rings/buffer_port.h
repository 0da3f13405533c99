// SPDX-License-Identifier: Apache-2.0
// What a driver of a device with rings needs of the system it runs in: memory of its own, by offset, and a way to let
// the device reach a part of it. Two systems exist: a user program over iommufd, and the kernel over the DMA API. The
// mapping of a part ends as it was made: same IOVA, same length.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::drivers::rings {

class BufferPort {
 public:
  virtual ~BufferPort() = default;
  virtual void read(std::uint64_t offset, void* out, std::size_t bytes) = 0;
  virtual void write(std::uint64_t offset, const void* in, std::size_t bytes) = 0;
  /// Whole pages. `prot` is a set of domain::Prot. 0 or an errno. `cpu` is the processor that asks.
  virtual int map(std::uint64_t offset, std::uint64_t bytes, unsigned prot, unsigned cpu, std::uint64_t& iova_out) = 0;
  virtual void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) = 0;
};

}  // namespace iommusim::drivers::rings
