// SPDX-License-Identifier: Apache-2.0
// A system built from its parameters and run from power-on to shutdown: the driver brings the IOMMU up over MMIO, every
// workload opens, runs and closes, the IOMMU is taken down. One System a process (SystemC elaborates once). The run
// ends with the checks that must always hold: nothing in flight, nothing leaked, every identity of the statistics.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/params.h"
#include "platform/workload.h"
#include "stats/stats.h"

namespace iommusim::platform {

/// What two runs of the same work must have in common, whatever the timing (orders and addresses of tables may differ).
struct RunDigest {
  std::uint64_t responses = 0;  ///< which DMA got which response
  std::uint64_t reads = 0;      ///< which DMA read which data
  std::uint64_t buffers = 0;    ///< what buffers held when they were unmapped; 0 unless software.buffer_digest
  std::uint64_t faults = 0;     ///< the multiset of fault records
};

struct RunTotals {
  std::uint64_t transfers = 0;
  std::uint64_t failed_transfers = 0;
  std::uint64_t bytes_moved = 0;
  std::uint64_t simulated_ps = 0;  ///< power-on to off
  std::uint64_t workload_ps = 0;   ///< from the first workload's start to the last one's end
};

/// Makes workloads of the caller's own, beside those of SystemParams::devices; their statistics go under the group.
using WorkloadMaker = std::function<std::vector<std::unique_ptr<Workload>>(const SystemParams&, stats::Group&)>;

class System {
 public:
  /// InputError for a system that cannot be built.
  explicit System(const SystemParams& params, const WorkloadMaker& more = {});
  ~System();

  /// Runs to the end. `progress` is called now and then with a fraction in [0, 1] and a word for what goes on; may be
  /// empty. Throws InputError (a trace that cannot be replayed, a driver that refuses the hardware) or Contradiction.
  void run(const std::function<void(double, const char*)>& progress);

  const SystemParams& params() const;
  stats::Group& statistics();
  RunDigest digest() const;
  RunTotals totals() const;

  struct Parts;
  Parts& parts() { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace iommusim::platform
