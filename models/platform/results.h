// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind.
#pragma once

#include <string>

#include "platform/system.h"

namespace iommusim::platform {

/// InputError if write_results() could not write there: to be known before a long run. Changes nothing.
void check_results_folder(const std::string& folder);

/// stats.json of a finished run: the run (totals, digests) and every statistic.
std::string stats_json_of(System& system);

/// Writes stats.json, config.yaml (from which the run can be repeated), summary.txt and, if something is injected,
/// injections.csv into the folder, which is created. Each file appears complete or not at all.
void write_results(System& system, const std::string& folder);

}  // namespace iommusim::platform
