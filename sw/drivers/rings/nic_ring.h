// SPDX-License-Identifier: Apache-2.0
// A descriptor ring of the NIC as its driver sees it: what was handed to the device and has not come back, oldest
// first.
#pragma once

#include <deque>

#include "device_hw/nic.h"
#include "drivers/rings/buffer_pool.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::drivers::rings {

class NicRing {
 public:
  /// A buffer's piece behind a descriptor.
  struct Slot {
    std::uint32_t buffer = 0;
    std::uint32_t at = 0;  ///< of the piece, in the buffer
    bool last = false;     ///< of the buffer
  };

  /// `registers` is the offset of the ring's own.
  NicRing(BufferPort& port, hal::Mmio& mmio, std::uint32_t registers, std::uint64_t offset, std::uint32_t entries);

  static std::uint64_t bytes_of(std::uint32_t entries) {
    return (std::uint64_t{entries} * device_hw::nic::kDescriptorBytes + 4095) / 4096 * 4096;
  }
  /// Maps the ring and switches it on. 0 or an errno.
  int open(unsigned cpu);
  /// Switches it off and waits until the device has let go; what was posted stays in slots().
  void stop(hal::Os& os);
  void close(unsigned cpu);

  std::uint32_t room() const { return entries_ - 1 - static_cast<std::uint32_t>(slots_.size()); }
  bool empty() const { return slots_.empty(); }
  void post(std::uint64_t iova, std::uint32_t bytes, bool end, const Slot& slot);
  /// Tells the device of all that was posted since the last time.
  void ring_doorbell();
  /// The oldest descriptor, if the device is through with it.
  bool done(device_hw::nic::Descriptor& out);
  Slot take();
  bool failed() { return (status() & device_hw::nic::kStatusError) != 0; }
  std::deque<Slot>& slots() { return slots_; }

 private:
  std::uint32_t status() { return mmio_.read32(registers_ + device_hw::nic::kRingStatus); }

  BufferPort& port_;
  hal::Mmio& mmio_;
  std::uint32_t registers_;
  std::uint64_t offset_;
  std::uint32_t entries_;
  std::uint64_t iova_ = 0;
  std::uint32_t head_ = 0, tail_ = 0, told_ = 0;  ///< entries
  std::deque<Slot> slots_;
};

}  // namespace iommusim::drivers::rings
