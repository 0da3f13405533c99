// SPDX-License-Identifier: Apache-2.0
// What a person wants to know of a run, on one screen.
#pragma once

#include <string>

#include "platform/system_parts.h"

namespace iommusim::platform {

/// What a summary is made of.
struct SummaryParts {
  const SystemParams& params;
  timing::EngineStats& iommu;
  Kernel& kernel;
  RunTotals totals;
  const timing::Injector* injector;  ///< nullptr: nothing was injected
};

/// Throughput, latency quantiles, hit rates, walks, invalidations, faults. `name` is the system's file.
std::string summary_of(System& system);
std::string summary_of(const SummaryParts& parts);

}  // namespace iommusim::platform
