// SPDX-License-Identifier: Apache-2.0
// One call of the DMA API: charges its processor time and counts how long it took, waiting included.
#pragma once

#include "dma/statistics.h"
#include "hal/os.h"

namespace iommusim::dma {

class Call {
 public:
  Call(hal::Os& os, std::uint64_t cost_ns, Count& time_ns) : os_(os), time_ns_(time_ns), start_ns_(os.now_ns()) {
    os.spend_ns(cost_ns);
  }
  ~Call() { time_ns_.add(os_.now_ns() - start_ns_); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  hal::Os& os_;
  Count& time_ns_;
  const std::uint64_t start_ns_;
};

}  // namespace iommusim::dma
