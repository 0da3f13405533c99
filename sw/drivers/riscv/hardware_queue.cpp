// SPDX-License-Identifier: Apache-2.0
// Set-up and switching of an in-memory queue.
#include "drivers/riscv/hardware_queue.h"

#include <cerrno>
#include <string>

namespace iommusim::drivers::riscv {

// The layouts of cqb, fqb and pqb are one (IOMMU 5.6, 5.9, 5.12); the names of cqb stand for all.
int HardwareQueue::enable(unsigned log2_entries) {
  ports_.mmio.write64(layout_.base, hw::cqb::kLog2sz1Mask);
  const std::uint64_t answer = ports_.mmio.read64(layout_.base);
  const auto largest = static_cast<unsigned>(field_of(answer, hw::cqb::kLog2sz1Mask, hw::cqb::kLog2sz1Shift)) + 1;
  log2_ = std::max(1U, std::min(log2_entries, largest));
  memory_ = field_of(answer, hw::cqb::kPpnMask, hw::cqb::kPpnShift) << 12;
  fixed_ = memory_ != 0;
  if (!fixed_)
    if (const int error = allocate()) return error;

  const std::uint64_t base = ((memory_ >> 12) << hw::cqb::kPpnShift) | (log2_ - 1);
  ports_.mmio.write64(layout_.base, base);
  if (ports_.mmio.read64(layout_.base) != base) {
    ports_.os.log(std::string("riscv-iommu: the base register of the ") + layout_.name + " does not hold its value");
    release();
    return ENODEV;
  }
  ports_.mmio.write32(layout_.software_index, 0);

  ports_.mmio.write32(layout_.csr, layout_.enable | layout_.memory_fault);
  std::uint32_t csr = 0;
  const bool idle = poll_until(ports_.os, kQueueLimitNs, [&] {
    csr = ports_.mmio.read32(layout_.csr);
    return (csr & layout_.busy) == 0;
  });
  if (!idle || (csr & layout_.on) == 0 || (csr & layout_.memory_fault) != 0) {
    ports_.mmio.write32(layout_.csr, 0);
    ports_.os.log(std::string("riscv-iommu: the ") + layout_.name + " does not come on");
    release();
    return EBUSY;
  }
  ports_.mmio.write32(hw::kIpsrOffset, layout_.pending);  // a stale one
  return 0;
}

void HardwareQueue::disable() {
  switch_off();
  release();
  for (const Retired& retired : retired_) ports_.frames.free(retired.memory, retired.order);
  retired_.clear();
}

int HardwareQueue::move(unsigned log2_entries) {
  switch_off();
  if (fixed_) return ENODEV;  // there is no other memory
  retired_.push_back({memory_, order()});
  memory_ = 0;
  return enable(log2_entries);
}

void HardwareQueue::switch_off() {
  ports_.mmio.write32(layout_.csr, 0);
  const bool idle =
      poll_until(ports_.os, kQueueLimitNs, [&] { return (ports_.mmio.read32(layout_.csr) & layout_.busy) == 0; });
  if (!idle) ports_.os.log(std::string("riscv-iommu: the ") + layout_.name + " does not go off");
}

int HardwareQueue::allocate() {
  for (;;) {  // IOMMU 5.6, 5.9: aligned to its size, and at least to a page
    memory_ = ports_.frames.alloc(order());
    if (memory_ != 0) return 0;
    if (order() == 0) return ENOMEM;
    --log2_;
  }
}

void HardwareQueue::release() {
  if (memory_ != 0 && !fixed_) ports_.frames.free(memory_, order());
  memory_ = 0;
}

unsigned HardwareQueue::order() const {
  unsigned order = 0;
  while ((4096ULL << order) < entries() * layout_.entry_bytes) ++order;
  return order;
}

}  // namespace iommusim::drivers::riscv
