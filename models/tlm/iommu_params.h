// SPDX-License-Identifier: Apache-2.0
// Parameters of the IOMMU module: what the implementation offers, its micro-architecture, and its sockets.
#pragma once

#include "spec/parameters.h"
#include "timing/params.h"
#include "tlm/output_order.h"
#include "translate/functional_caches.h"

namespace iommusim::bus {

enum class IommuMode : std::uint8_t { kCycle, kFunctional };
inline constexpr base::Choice<IommuMode> kIommuModes[] = {
    {"cycle", "the cycle model: caches, walkers, queues, contention", IommuMode::kCycle},
    {"functional", "translates at once; b_transport annotates its delay", IommuMode::kFunctional},
};

enum class OwnAccesses : std::uint8_t { kTimed, kFree };
inline constexpr base::Choice<OwnAccesses> kOwnAccesses[] = {
    {"timed", "walks, queues and messages share memory with DMA", OwnAccesses::kTimed},
    {"free", "they take no time and nothing of the memory's bandwidth: an upper bound", OwnAccesses::kFree},
};

struct IommuParams {
  IommuMode mode = IommuMode::kCycle;
  spec::Implementation implementation{};
  translate::FunctionalCacheParams functional{};
  timing::EngineParams engine{};
  OwnAccesses own_accesses = OwnAccesses::kTimed;
  std::uint32_t shared_port_cycles = 0;
  bool dmi = false;
  std::uint32_t dma_outstanding = 256;
  DmaOrder dma_order = DmaOrder::kRelaxed;
  std::uint64_t ats_time_out_ns = 60'000'000'000;

  template <class V>
  static constexpr void describe(V&& v) {
    v("mode", &IommuParams::mode, kIommuModes, "how requests are served");
    v.group("implementation", &IommuParams::implementation, "what the implementation chooses of the architecture");
    v.group("functional", &IommuParams::functional, "what is remembered; mode functional");
    v.group("engine", &IommuParams::engine, "micro-architecture");
    v("own_accesses", &IommuParams::own_accesses, kOwnAccesses, "mode cycle: memory accesses of the IOMMU itself");
    v("shared_port_cycles", &IommuParams::shared_port_cycles, base::Unit::kCycle, params::Range{0, 64},
      "mode cycle: the IOMMU's own accesses and translated DMA take turns, one in so many cycles; 0: each has a port");
    v("dmi", &IommuParams::dmi,
      "mode functional: grants devices direct access to pages they may reach; it is counted nowhere");
    v("dma_outstanding", &IommuParams::dma_outstanding, base::Unit::kCount, params::Range{1, 65536},
      "DMA pieces of up to 4 KiB inside the IOMMU or in memory");
    v("dma_order", &IommuParams::dma_order, kDmaOrders, "mode cycle: order in which translated requests leave");
    v("ats_time_out_ns", &IommuParams::ats_time_out_ns, base::Unit::kNs, params::Range{1, 1'000'000'000'000},
      "an ATS invalidation request without its completion is given up; PCIe: 60 s");
  }
};

}  // namespace iommusim::bus
