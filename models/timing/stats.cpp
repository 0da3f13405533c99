// SPDX-License-Identifier: Apache-2.0
#include "timing/stats.h"

#include <string>

#include "spec/causes.h"

namespace iommusim::timing {

namespace {

struct StructureRow {
  translate::Structure structure;
  const char* name;
  unsigned levels;  ///< 1: no levels, the name stands alone
};
constexpr StructureRow kStructureRows[] = {
    {translate::Structure::kDdt, "ddt", 3},
    {translate::Structure::kPdt, "pdt", 3},
    {translate::Structure::kFirstStage, "first_stage", 5},
    {translate::Structure::kSecondStage, "second_stage", 5},
    {translate::Structure::kSecondStageImplicit, "second_stage_implicit", 5},
    {translate::Structure::kMsiPte, "msi_pte", 1},
    {translate::Structure::kMrif, "mrif", 1},
    {translate::Structure::kCommandQueue, "command_queue", 1},
    {translate::Structure::kFaultQueue, "fault_queue", 1},
    {translate::Structure::kPageRequestQueue, "page_request_queue", 1},
    {translate::Structure::kFenceData, "fence_data", 1},
    {translate::Structure::kInterruptMessage, "interrupt_message", 1},
};
static_assert(std::size(kStructureRows) == translate::kStructureCount, "a structure has no row");

}  // namespace

MemoryPortStats::MemoryPortStats(stats::Group& parent, const std::string& name) : stats::Group(parent, name) {
  for (const StructureRow& row : kStructureRows)
    for (unsigned level = 0; level < row.levels; ++level) {
      const std::string suffix = row.levels == 1 ? "" : "_level" + std::to_string(level);
      by_level_[static_cast<unsigned>(row.structure)][level] =
          &counters_.emplace_back(*this, row.name + suffix, Unit::kCount,
                                  std::string("accesses to ") + row.name +
                                      (row.levels == 1 ? "" : " entries of level " + std::to_string(level)));
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
