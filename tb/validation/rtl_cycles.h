// SPDX-License-Identifier: Apache-2.0
// Compares a file of cycle counts with what the cycle engine takes, row by row. Columns: scenario, L (latency of
// memory), reads, cycles, r_beats, measure, config (`full` or `min`).
#pragma once

#include <string>
#include <vector>

#include "validation/preset.h"

namespace iommusim::validation {

struct CycleRow {
  enum class Verdict { kExact, kDiffers, kIllegal };
  unsigned line = 0;
  std::string scenario, measure, config;
  std::uint64_t latency = 0;
  std::int64_t cycles = 0, reads = 0, beats = 0;
  std::int64_t found_cycles = 0, found_reads = 0, found_beats = 0;
  Verdict verdict = Verdict::kExact;
};

/// InputError with file and line for a row that is not understood.
std::vector<CycleRow> compare_cycles(const std::string& file, const Preset& preset);

}  // namespace iommusim::validation
