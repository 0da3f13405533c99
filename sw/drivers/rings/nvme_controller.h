// SPDX-License-Identifier: Apache-2.0
// The NVMe controller as its driver sets it up: the admin queue, and pairs of I/O queues through it. One thread.
#pragma once

#include "device_hw/nvme.h"
#include "drivers/rings/buffer_port.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::drivers::rings {

/// Where a pair of queues lies, by IOVA.
struct NvmeQueuePlace {
  std::uint64_t submission = 0, completion = 0;
  std::uint32_t entries = 0;
  bool interrupts = false;
};

class NvmeController {
 public:
  static constexpr std::uint64_t kMemory = 2 * 4096;  ///< of the port's, from `offset` on

  NvmeController(hal::Os& os, hal::Mmio& mmio, BufferPort& port, std::uint64_t offset)
      : os_(os), mmio_(mmio), port_(port), offset_(offset) {}

  /// Enables the controller. 0 or an errno.
  int open();
  /// Disables it. Nothing may be under way.
  void close();
  /// Pair `id`, from 1 on; its vector is id - 1. 0, or EIO when the controller refuses.
  int create(std::uint16_t id, const NvmeQueuePlace& place);
  int destroy(std::uint16_t id);
  bool failed() { return (mmio_.read32(device_hw::nvme::kStatus) & device_hw::nvme::kFatal) != 0; }

 private:
  static constexpr std::uint32_t kEntries = 16;
  /// Submits and waits; the status of the completion, or -1 when the controller stopped.
  int execute(device_hw::nvme::Command command);

  hal::Os& os_;
  hal::Mmio& mmio_;
  BufferPort& port_;
  std::uint64_t offset_;
  std::uint64_t iova_ = 0;
  std::uint32_t tail_ = 0, head_ = 0;
  bool phase_ = true;
  std::uint16_t next_id_ = 0;
};

}  // namespace iommusim::drivers::rings
