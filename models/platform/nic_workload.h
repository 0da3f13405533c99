// SPDX-License-Identifier: Apache-2.0
// A NIC, its driver with a thread for each queue, and the application above it, which makes the packets to be sent and
// looks at each one that came: all data must be what its sequence number says.
#pragma once

#include "devices/nic.h"
#include "drivers/rings/nic_queue.h"
#include "platform/ring_workload.h"

namespace iommusim::platform {

/// Bytes of the driver's memory.
std::uint64_t nic_memory(const DeviceParams& params);

class NicWorkload final : public RingWorkload<devices::Nic, drivers::rings::NicQueue>, drivers::rings::NicClient {
 public:
  /// `buffer` is the offset of its memory among that of all programs.
  NicWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
              stats::Group& parent);

  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
  double progress() const override;
  devices::Digest digest() const override;

 private:
  struct Flow {
    std::uint64_t to_receive = 0, to_send = 0;
    std::uint64_t received = 0, sent = 0;  ///< ended, well or not
    std::uint64_t made = 0;                ///< packets to be sent
    std::uint64_t last_number = 0;         ///< of a packet that came whole
  };

  void received(unsigned queue, const std::uint8_t* data, std::size_t bytes, bool ok) override;
  std::uint32_t next_to_send(unsigned queue, std::uint8_t* data, std::uint32_t room) override;
  void sent(unsigned queue, bool ok) override;
  bool finished(unsigned queue) override;

  std::uint64_t buffer_step_;
  std::vector<Flow> flows_;
  devices::Digest digest_;  ///< packets received
};

}  // namespace iommusim::platform
