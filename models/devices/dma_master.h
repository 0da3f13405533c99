// SPDX-License-Identifier: Apache-2.0
// Moves data for a device: splits a DMA at multiples of `split_bytes` (so never across a 4 KiB border of the IOVA),
// keeps at most `outstanding` parts in flight, and tells its client once when all parts have come back. There is no
// queue of requests: one DMA at a time is being cut, a device that comes too early is refused and told when to retry.
#pragma once

#include <vector>

#include "devices/dma_master_stats.h"
#include "devices/dma_request.h"
#include "tlm/initiator_port.h"
#include "tlm/payload_pool.h"
#include "tlm/timed_module.h"
#include "tlm/timed_ring.h"

namespace iommusim::devices {

struct DmaLimits {
  std::uint32_t outstanding = 32;    ///< parts in flight, at least 1
  std::uint32_t split_bytes = 4096;  ///< a power of two, 64 to 4096

  void check() const;  ///< throws base::InputError
};

class DmaMaster final : public bus::TimedModule, bus::InitiatorClient {
 public:
  /// `client` must outlive the master. Throws base::InputError for limits out of range.
  DmaMaster(const sc_core::sc_module_name& name, const DmaLimits& limits, DmaClient& client, stats::Group& parent);

  bus::InitiatorSocket& socket() { return port_.socket; }

  /// Begins the DMA, or refuses and calls client.ready() later. From a process, not from within a transport call.
  bool try_issue(const DmaRequest& request);
  std::size_t in_flight() const { return dmas_.size() - free_.size(); }  ///< DMAs
  const DmaMasterStats& statistics() const { return stats_; }
  const bus::PayloadPool& payloads() const { return pool_; }

 private:
  struct Dma {
    DmaRequest request{};
    std::uint64_t number = 0;
    std::uint64_t sent = 0;      ///< bytes for which parts were sent
    std::uint64_t returned = 0;  ///< bytes whose parts came back
    translate::Response worst = translate::Response::kSuccess;
    base::Picoseconds issued = 0;
  };
  static constexpr std::uint32_t kNone = ~0U;

  void request_ended(unsigned) override { wake_at(port_.ready_at()); }
  void response(unsigned, bus::Payload& payload, base::Picoseconds at) override;
  base::Picoseconds work(base::Picoseconds now) override;

  bool can_issue(base::Picoseconds now) const {
    return cutting_ == kNone && parts_ < limits_.outstanding && port_.ready(now);
  }
  void send_parts(base::Picoseconds now);
  void send_part(Dma& dma, std::uint32_t bytes);
  void part_returned(bus::PooledPayload& payload, base::Picoseconds now);
  void finish(std::uint32_t slot, base::Picoseconds now);

  DmaLimits limits_;
  DmaClient& client_;
  DmaMasterStats stats_;
  bus::InitiatorPort port_;
  bus::PayloadPool pool_;
  std::vector<Dma> dmas_;
  std::vector<std::uint32_t> free_;
  bus::TimedRing<bus::PooledPayload*> returned_;
  std::uint64_t issued_ = 0;
  std::uint32_t parts_ = 0;        ///< in flight
  std::uint32_t cutting_ = kNone;  ///< the DMA of which parts are still to be sent
  bool refused_ = false;
};

}  // namespace iommusim::devices
