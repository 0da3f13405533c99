// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind.
#pragma once

#include <optional>
#include <string>

#include "platform/system.h"

namespace iommusim::platform {

/// InputError if write_results() could not write there: to be known before a long run. Changes nothing.
void check_results_folder(const std::string& folder);

/// What the files of a run are made of.
struct RunResults {
  const SystemParams& params;
  stats::Group& statistics;
  RunTotals totals;
  std::optional<RunDigest> digest;  ///< of a run that repeats
  std::string injections;           ///< the log of what was injected; empty: nothing could be
  std::string summary;
};
std::string stats_json_of(const RunResults& results);
void write_results(const RunResults& results, const std::string& folder);

/// Creates the folder. InputError.
void make_results_folder(const std::string& folder);

/// stats.json of a finished run: the run (totals, digests) and every statistic.
std::string stats_json_of(System& system);

/// Writes stats.json, config.yaml (from which the run can be repeated), summary.txt and, if something is injected,
/// injections.csv into the folder, which is created. Each file appears complete or not at all.
void write_results(System& system, const std::string& folder);

}  // namespace iommusim::platform
