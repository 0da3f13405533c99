// SPDX-License-Identifier: Apache-2.0
// Cuts and recompresses traces. What it writes stands on its own: it starts, at time 0, with an M line for each mapping
// that is live where the cut begins, and the head keeps the comments of the original after a line that tells the cut.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "traces/event.h"

namespace iommusim::traces {

struct ConvertOptions {
  static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t from_ns = 0;    ///< first time of the cut; becomes time 0
  std::uint64_t to_ns = kAll;   ///< first time behind the cut; kAll: to the end
  std::uint64_t events = kAll;  ///< at most so many events, beside the mappings at time 0
  std::vector<Source> sources;  ///< keep these only; empty: all
  int level = 12;               ///< of zstd, 1 to 22
};

struct ConvertResult {
  std::uint64_t snapshot_maps = 0;  ///< M lines at time 0 that describe the state at the cut
  std::uint64_t events = 0;         ///< the others
};

/// Compressed when `out` ends in .zst. The M lines at time 0 that open a trace count as its snapshot. Throws
/// base::InputError for a bad trace, for a cut that holds no event, and when `out` cannot be written.
ConvertResult convert(const std::string& in, const std::string& out, const ConvertOptions& options = {});

}  // namespace iommusim::traces
