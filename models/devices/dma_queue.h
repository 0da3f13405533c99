// SPDX-License-Identifier: Apache-2.0
// DMA of a device that has more to ask for than its master takes at once: requests wait here, in order.
#pragma once

#include <deque>

#include "devices/dma_master.h"

namespace iommusim::devices {

class DmaQueue {
 public:
  DmaQueue(const DmaLimits& limits, base::DeviceId device, DmaClient& client, stats::Group& parent)
      : master_("dma", limits, client, parent), device_(device) {}

  bus::InitiatorSocket& socket() { return master_.socket(); }
  const DmaMaster& master() const { return master_; }
  std::size_t waiting() const { return waiting_.size(); }

  /// From a process of the device. `data` as in DmaRequest.
  void push(bool write, std::uint64_t iova, std::uint64_t bytes, std::uint64_t cookie, std::uint8_t* data) {
    DmaRequest request;
    request.iova = iova;
    request.bytes = bytes;
    request.write = write;
    request.device = device_;
    request.data = data;
    request.cookie = cookie;
    push(request);
  }
  void push(const DmaRequest& request) {
    waiting_.push_back(request);
    pump();
  }
  /// From the client's ready().
  void pump() {
    while (!waiting_.empty() && master_.try_issue(waiting_.front())) waiting_.pop_front();
  }

 private:
  DmaMaster master_;
  base::DeviceId device_;
  std::deque<DmaRequest> waiting_;
};

}  // namespace iommusim::devices
