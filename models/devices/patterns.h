// SPDX-License-Identifier: Apache-2.0
// The patterns that generators have, by name. A pattern is one class behind make_pattern() and one row of kPatterns.
// InputError for parameters that contradict each other.
#pragma once

#include <memory>

#include "devices/access_pattern.h"
#include "devices/generator_params.h"
#include "devices/uniform.h"

namespace iommusim::devices {

enum class PatternKind : std::uint8_t { kUniform, kSequential, kTiles, kGpu, kTenants };
inline constexpr base::Choice<PatternKind> kPatterns[] = {
    {"uniform", "uniformly random addresses of a window", PatternKind::kUniform},
    {"sequential", "flows that go through windows", PatternKind::kSequential},
    {"tiles", "tiles of an image", PatternKind::kTiles},
    {"gpu", "bursts of wavefronts", PatternKind::kGpu},
    {"tenants", "a mix of the others by function", PatternKind::kTenants},
};

const char* name_of(PatternKind kind);

/// The parameters of all kinds. TrafficParams::read_percent counts for all but uniform, which has its own.
struct PatternParams {
  TrafficParams traffic{};
  UniformParams uniform{};
  SequentialParams sequential{};
  TilesParams tiles{};
  GpuParams gpu{};
  TenantsParams tenants{};
};

std::unique_ptr<AccessPattern> make_pattern(PatternKind kind, const PatternParams& params, std::uint64_t seed);

// One for each kind, in a file of its own.
std::unique_ptr<AccessPattern> make_sequential(const SequentialParams& params, std::uint32_t read_percent,
                                               std::uint64_t seed);
std::unique_ptr<AccessPattern> make_tiles(const TilesParams& params, std::uint32_t read_percent, std::uint64_t seed);
std::unique_ptr<AccessPattern> make_gpu(const GpuParams& params, std::uint32_t read_percent, std::uint64_t seed);
std::unique_ptr<AccessPattern> make_tenants(const PatternParams& params, std::uint64_t seed);

}  // namespace iommusim::devices
