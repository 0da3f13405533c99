// SPDX-License-Identifier: Apache-2.0
#include "timing/stats.h"

#include <string>

#include "spec/causes.h"
#include "timing/structures.h"

namespace iommusim::timing {

namespace {

/// Levels of a structure's table; 1: it has none.
unsigned levels_of(translate::Structure structure) {
  switch (structure) {
    case translate::Structure::kDdt:
    case translate::Structure::kPdt:
      return 3;
    case translate::Structure::kFirstStage:
    case translate::Structure::kSecondStage:
    case translate::Structure::kSecondStageImplicit:
      return 5;
    default:
      return 1;
  }
}

}  // namespace

MemoryPortStats::MemoryPortStats(stats::Group& parent, const std::string& name) : stats::Group(parent, name) {
  for (unsigned i = 0; i < translate::kStructureCount; ++i) {
    const auto structure = static_cast<translate::Structure>(i);
    const std::string structure_name = name_of(structure);
    const unsigned levels = levels_of(structure);
    for (unsigned level = 0; level < levels; ++level) {
      const std::string suffix = levels == 1 ? "" : "_level" + std::to_string(level);
      by_level_[i][level] = &counters_.emplace_back(
          *this, structure_name + suffix, Unit::kCount,
          "accesses to " + structure_name + (levels == 1 ? "" : " entries of level " + std::to_string(level)));
    }
  }
}

FaultStats::FaultStats(stats::Group& parent, const std::string& name) : stats::Group(parent, name) {
  for (const spec::CauseInfo& cause : spec::kCauses)
    by_cause_[static_cast<unsigned>(cause.cause)] =
        &counters_.emplace_back(*this, "cause_" + std::to_string(static_cast<unsigned>(cause.cause)), Unit::kCount,
                                std::string("faults: ") + cause.text);
}

void FaultStats::count(std::uint16_t cause) {
  if (by_cause_[cause] != nullptr) ++*by_cause_[cause];
}

EngineStats::WalkCacheStats::WalkCacheStats(stats::Group& parent, const std::string& name)
    : stats::Group(parent, name) {
  for (const char* stage : {"first_stage", "second_stage"}) {
    stats::Group& group = stages_.emplace_back(*this, stage);
    for (unsigned level = 1; level <= 4; ++level) levels_.emplace_back(group, "level" + std::to_string(level));
  }
}

}  // namespace iommusim::timing
