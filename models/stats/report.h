// SPDX-License-Identifier: Apache-2.0
// The sinks of statistics: a text report, stats.json, and the list of definitions (which docs keep as the golden list).
#pragma once

#include "stats/snapshot.h"

namespace iommusim::stats {

/// Counts in stats.json that changed their meaning or place raise it.
inline constexpr int kSchemaVersion = 1;

/// One line a statistic: path, value, unit, definition.
std::string to_text(const Snapshot& snapshot);

/// A part of the run with a name: "warmup", "measured".
struct Section {
  std::string name;
  const Snapshot* values;
};
/// {"schema_version": 1, "<section>": {"<group>": {...}}}: registration order, integers exact, ratios as numerator,
/// denominator and value (null when the denominator is 0).
std::string to_json(const std::vector<Section>& sections);

struct Definition {
  std::string path;
  std::string kind;  ///< counter, ratio, histogram, occupancy
  std::string unit;
  std::string definition;
};
std::vector<Definition> list_definitions(const Group& group);

}  // namespace iommusim::stats
