// SPDX-License-Identifier: Apache-2.0
// The hardware as the software stack sees it: a window of registers, system memory by physical address, page frames,
// and interrupts. Nothing else of the hardware is visible to sw/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace iommusim::hal {

/// The registers of one device. `offset` is naturally aligned. A call takes simulated time in a simulation.
class Mmio {
 public:
  virtual ~Mmio() = default;
  virtual std::uint32_t read32(std::uint32_t offset) = 0;
  virtual std::uint64_t read64(std::uint32_t offset) = 0;
  virtual void write32(std::uint32_t offset, std::uint32_t value) = 0;
  virtual void write64(std::uint32_t offset, std::uint64_t value) = 0;
};

/// System memory as the processor reaches it, by system-physical address; coherent with what devices and the IOMMU see.
/// 64-bit accesses are single-copy atomic and naturally aligned. Safe to call from several threads.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual void read(std::uint64_t spa, void* out, std::size_t bytes) = 0;
  virtual void write(std::uint64_t spa, const void* in, std::size_t bytes) = 0;
  virtual std::uint64_t load64(std::uint64_t spa) = 0;
  virtual void store64(std::uint64_t spa, std::uint64_t value) = 0;
  /// Stores `desired` if the word equals `expected`; otherwise puts the word found into `expected` and returns false.
  virtual bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) = 0;
  /// Orders all earlier memory accesses of the calling thread before later memory and MMIO accesses.
  virtual void barrier() = 0;
};

/// Page frames of the kernel: page tables, queues, directories.
class FrameAllocator {
 public:
  virtual ~FrameAllocator() = default;
  /// 2^order frames of 4 KiB, zeroed, naturally aligned; the physical address, or 0 when memory is exhausted.
  virtual std::uint64_t alloc(unsigned order) = 0;
  virtual void free(std::uint64_t spa, unsigned order) = 0;
  /// Frames handed out and not returned; for leak checks.
  virtual std::uint64_t frames_in_use() const = 0;
};

/// Interrupt lines or vectors of one device.
class Interrupts {
 public:
  virtual ~Interrupts() = default;
  virtual unsigned vectors() const = 0;
  /// `handler` runs in a thread of the Os (a threaded handler) each time the vector fires. Replaces an earlier one; an
  /// empty handler disconnects, and returns only when no call is running.
  virtual void set_handler(unsigned vector, std::function<void()> handler) = 0;
  /// For message-signalled delivery: address and data that a device must write to fire `vector`. False: wires only.
  virtual bool message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) = 0;
};

}  // namespace iommusim::hal
