// SPDX-License-Identifier: Apache-2.0
// What the in-memory queues of the IOMMU have in common: finding out the size, memory, switching on and off
// (IOMMU 6.2). The order of register accesses is that of riscv_driver.md 2.1.
#pragma once

#include <vector>

#include "drivers/riscv/ports.h"

namespace iommusim::drivers::riscv {

/// The registers and bits of one queue.
struct QueueLayout {
  const char* name;
  std::uint32_t base;
  std::uint32_t software_index;  ///< the index that software moves: cqt, fqh
  std::uint32_t csr;
  std::uint32_t enable;  ///< CSR: queue enable and interrupt enable
  std::uint32_t memory_fault;
  std::uint32_t on;
  std::uint32_t busy;
  std::uint32_t pending;  ///< bit of ipsr
  unsigned entry_bytes;
};

class HardwareQueue {
 public:
  HardwareQueue(const Ports& ports, const QueueLayout& layout) : ports_(ports), layout_(layout) {}

  /// At most 2^log2_entries entries; fewer when hardware or memory say so. 0, ENOMEM, ENODEV (the base register does
  /// not hold what was written), EBUSY (the queue did not come on). On failure nothing is left behind.
  int enable(unsigned log2_entries);
  /// Switches off, whatever the state, waits, returns the memory.
  void disable();
  /// As enable(), from the queue as it is: off, and on again in other memory. What it had is used no more, and returned
  /// by disable().
  int move(unsigned log2_entries);

  const QueueLayout& layout() const { return layout_; }
  std::uint64_t entries() const { return 1ULL << log2_; }
  unsigned log2_entries() const { return log2_; }
  bool has_memory() const { return memory_ != 0; }
  /// Physical address of the entry at a running number.
  std::uint64_t entry(std::uint64_t number) const { return memory_ + (number & (entries() - 1)) * layout_.entry_bytes; }

 private:
  int allocate();
  void release();
  void switch_off();
  unsigned order() const;

  const Ports& ports_;
  const QueueLayout layout_;
  unsigned log2_ = 0;
  std::uint64_t memory_ = 0;
  bool fixed_ = false;  // the hardware's own memory, not ours to free
  struct Retired {
    std::uint64_t memory;
    unsigned order;
  };
  std::vector<Retired> retired_;
};

}  // namespace iommusim::drivers::riscv
