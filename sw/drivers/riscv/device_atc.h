// SPDX-License-Identifier: Apache-2.0
// The address translation caches of one device's functions, as the driver keeps them right: ATS.INVAL after the
// IOMMU's own caches forgot (IOMMU 6.3.7), no more outstanding than the device can queue. A
// device that lets one time out is asked again, alone; if it is silent still, it is lost: see RiscvDevice::isolate().
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "drivers/riscv/command_queue.h"

namespace iommusim::drivers::riscv {

class DeviceAtc {
 public:
  /// `depth`: invalidation requests that each function can queue, at least 1.
  DeviceAtc(hal::Os& os, CommandQueue& commands, const std::vector<std::uint32_t>& device_ids, unsigned depth);

  /// Set while a device context with EN_ATS may be in force; nothing is sent otherwise.
  void set_on(bool on) { on_ = on && !lost_; }
  bool on() const { return on_; }
  bool lost() const { return lost_; }

  /// An invalidation that was begun: submitted, not fenced yet.
  struct Begun {
    int error = 0;
    std::uint64_t time_outs = 0;  ///< before it
  };
  using Process = std::optional<std::uint32_t>;        ///< PASID; none: translations without
  static constexpr std::uint32_t kEveryProcess = ~0U;  ///< a Process: all translations with some PASID
  /// Submits the invalidation; the caller fences. Waits for room in the device, so who begins several must do so in the
  /// order of their devices' ids, and one for each device before the first end().
  Begun begin(std::uint64_t start, std::uint64_t last, Process process = {});
  /// After the fence, once for each begin(). False: a time-out was told meanwhile, perhaps of this one.
  bool end(const Begun& begun);
  /// After a time-out of somebody: asks this device alone. False: it does not answer, and is lost.
  bool again(std::uint64_t start, std::uint64_t last, Process process = {});

 private:
  int submit(std::uint64_t start, std::uint64_t last, Process process);
  static constexpr unsigned kTries = 2;

  CommandQueue& commands_;
  const std::vector<std::uint32_t> device_ids_;
  const unsigned depth_;
  std::atomic<bool> on_{false};
  std::atomic<bool> lost_{false};
  std::unique_ptr<hal::Mutex> lock_;  // guards in_flight_
  std::unique_ptr<hal::WaitQueue> room_;
  unsigned in_flight_ = 0;
};

}  // namespace iommusim::drivers::riscv
