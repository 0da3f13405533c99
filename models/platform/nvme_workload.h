// SPDX-License-Identifier: Apache-2.0
// An NVMe drive, its driver with a thread for each pair of queues, and the program above it, which reads and writes
// blocks and looks at all data. A write stores what its block holds anyway, so what a read brings is known, whatever
// order commands end in; the drive looks at what came.
#pragma once

#include "base/random.h"
#include "devices/nvme.h"
#include "drivers/rings/nvme_queue.h"
#include "platform/ring_workload.h"

namespace iommusim::platform {

/// Bytes of the driver's memory.
std::uint64_t nvme_memory(const DeviceParams& params);

class NvmeWorkload final : public RingWorkload<devices::Nvme, drivers::rings::NvmeQueue>, drivers::rings::NvmeClient {
 public:
  /// `buffer` is the offset of its memory among that of all programs.
  NvmeWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
               stats::Group& parent);

  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
  double progress() const override;
  devices::Digest digest() const override { return digest_; }

 private:
  struct Thread {
    base::Random random;
    std::uint64_t commands;  ///< in all
    std::uint64_t begun = 0;
  };
  bool next(unsigned queue, drivers::rings::NvmeIo& out) override;
  void fill(unsigned queue, const drivers::rings::NvmeIo& io, std::uint8_t* data) override;
  void done(unsigned queue, const drivers::rings::NvmeIo& io, int status, const std::uint8_t* data,
            std::uint64_t latency_ns) override;

  std::uint64_t queue_step_;
  std::unique_ptr<drivers::rings::NvmeController> controller_;
  std::vector<Thread> threads_;
  devices::Digest digest_;  ///< commands
};

}  // namespace iommusim::platform
