// SPDX-License-Identifier: Apache-2.0
// Injections that strike the DMA of devices, at the memory. The IOMMU's own accesses are struck where they leave it.
#pragma once

#include "timing/injector.h"
#include "tlm/memory_extension.h"
#include "tlm/memory_faults.h"

namespace iommusim::bus {

class MemoryInjection final : public FaultInjector {
 public:
  /// `dma_port`: the memory's port where DMA arrives. `injector` must outlive the simulation.
  MemoryInjection(timing::Injector& injector, unsigned dma_port) : injector_(injector), dma_port_(dma_port) {}

  Injected inspect(unsigned port, const Payload& payload) override {
    if (port != dma_port_) return {};
    timing::Injector::MemoryEvent event;
    event.target = timing::AccessTarget::kDma;
    event.address = payload.get_address();
    event.bytes = payload.get_data_length();
    event.is_write = payload.is_write();
    if (const auto* const origin = payload.get_extension<OriginExtension>()) event.device = origin->device;
    const timing::Injector::MemoryStrike strike = injector_.memory(event, now_ps());
    Injected injected;
    injected.delay = strike.delay_ns * 1000;
    if (strike.status == translate::MemoryStatus::kAccessFault) injected.fault = Injected::Fault::kAccessFault;
    if (strike.status == translate::MemoryStatus::kCorrupt) injected.fault = Injected::Fault::kPoison;
    return injected;
  }

 private:
  timing::Injector& injector_;
  unsigned dma_port_;
};

}  // namespace iommusim::bus
