// SPDX-License-Identifier: Apache-2.0
// Systems from files, and what a run leaves behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/system.h"

namespace iommusim::platform {

/// Reads a system file, applies `sets` (path=value) and the seed, resolves the paths of traces against the file's
/// folder. InputError with the place of what is wrong.
SystemParams load_system(const std::string& path, const std::vector<std::string>& sets,
                         std::optional<std::uint64_t> seed);

/// stats.json of a finished run: the run (totals, digests) and every statistic.
std::string stats_json_of(System& system);

/// Writes stats.json, config.yaml (from which the run can be repeated) and summary.txt into the folder, which is
/// created. Each file appears complete or not at all.
void write_results(System& system, const std::string& folder);

}  // namespace iommusim::platform
