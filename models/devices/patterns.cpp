// SPDX-License-Identifier: Apache-2.0
#include "devices/patterns.h"

#include "base/error.h"

namespace iommusim::devices {

const char* name_of(PatternKind kind) {
  for (const auto& row : kPatterns)
    if (row.value == kind) return row.name;
  base::contradiction("an access pattern of no kind");
}

std::unique_ptr<AccessPattern> make_pattern(PatternKind kind, const PatternParams& params, std::uint64_t seed) {
  const std::uint32_t read_percent = params.traffic.read_percent;
  switch (kind) {
    case PatternKind::kUniform:
      return make_uniform(params.uniform, seed);
    case PatternKind::kSequential:
      return make_sequential(params.sequential, read_percent, seed);
    case PatternKind::kTiles:
      return make_tiles(params.tiles, read_percent, seed);
    case PatternKind::kGpu:
      return make_gpu(params.gpu, read_percent, seed);
    case PatternKind::kTenants:
      return make_tenants(params, seed);
  }
  base::contradiction("an access pattern of no kind");
}

}  // namespace iommusim::devices
