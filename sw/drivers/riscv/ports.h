// SPDX-License-Identifier: Apache-2.0
// What the driver of one RISC-V IOMMU is given: its register window, memory, frames, interrupts and the operating
// system. It reaches hardware through these alone. Also the one way in which it waits for hardware: polling with a
// limit.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hal/hardware.h"
#include "hal/os.h"
#include "iommu_hw/iommu_hw.h"

namespace iommusim::drivers::riscv {

namespace hw = iommusim::iommu_hw;

struct Ports {
  hal::Os& os;
  hal::Mmio& mmio;
  hal::Memory& memory;
  hal::FrameAllocator& frames;
  hal::Interrupts& interrupts;
};

// Limits of waiting. Hardware that takes longer is broken.
inline constexpr std::uint64_t kQueueLimitNs = 150000000;           // queue CSR busy, queue space
inline constexpr std::uint64_t kDdtpLimitNs = 10000000000;          // ddtp busy
inline constexpr std::uint64_t kInvalidationLimitNs = 90000000000;  // completion of a fence

constexpr std::uint64_t field_of(std::uint64_t word, std::uint64_t mask, unsigned shift) {
  return (word & mask) >> shift;
}

/// Pauses of a polling loop. They grow with the time waited already (an eighth of it, at most 1 ms), so a short wait is
/// seen at once and a long one costs few polls.
class Poll {
 public:
  Poll(hal::Os& os, std::uint64_t limit_ns) : os_(os), limit_ns_(limit_ns), start_ns_(os.now_ns()) {}

  bool over() const { return os_.now_ns() - start_ns_ >= limit_ns_; }
  void pause() {
    const std::uint64_t pause_ns = std::min<std::uint64_t>((os_.now_ns() - start_ns_) / 8, 1000000);
    if (pause_ns < 1000)
      os_.relax();
    else
      os_.sleep_ns(pause_ns);
  }

 private:
  hal::Os& os_;
  std::uint64_t limit_ns_;
  std::uint64_t start_ns_;
};

/// Tests `done` until it holds; false when it still does not at the limit.
template <class Done>
bool poll_until(hal::Os& os, std::uint64_t limit_ns, Done done) {
  if (done()) return true;
  Poll poll(os, limit_ns);
  for (;;) {
    poll.pause();
    const bool over = poll.over();
    if (done()) return true;
    if (over) return false;
  }
}

}  // namespace iommusim::drivers::riscv
