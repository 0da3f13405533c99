// SPDX-License-Identifier: Apache-2.0
// What a person wants to know of a run, on one screen.
#pragma once

#include <string>

#include "platform/system.h"

namespace iommusim::platform {

/// Throughput, latency quantiles, hit rates, walks, invalidations, faults. `name` is the system's file.
std::string summary_of(System& system);

}  // namespace iommusim::platform
