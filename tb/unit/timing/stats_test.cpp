// SPDX-License-Identifier: Apache-2.0
#include "timing/stats.h"

#include <gtest/gtest.h>

#include "spec/causes.h"
#include "stats/report.h"

namespace iommusim::timing {
namespace {

TEST(EngineStats, NamesEveryStructureLevelAndCause) {
  stats::Group root("system");
  EngineStats stats(root, "iommu");
  std::vector<std::string> paths;
  for (const auto& row : stats::list_definitions(root)) {
    EXPECT_FALSE(row.definition.empty()) << row.path;
    paths.push_back(row.path);
  }
  const auto has = [&](const std::string& path) { return std::find(paths.begin(), paths.end(), path) != paths.end(); };
  EXPECT_TRUE(has("system.iommu.memory_port.first_stage_level4"));
  EXPECT_TRUE(has("system.iommu.memory_port.ddt_level2"));
  EXPECT_TRUE(has("system.iommu.walk_cache.second_stage.level1.hits"));
  EXPECT_TRUE(has("system.iommu.faults.cause_258"));
}

TEST(FaultStats, CountsByCause) {
  stats::Group root("system");
  FaultStats faults(root, "faults");
  faults.count(13);
  faults.count(static_cast<std::uint16_t>(spec::Cause::kDdtNotValid));
  const std::string text = stats::to_text(stats::Snapshot(root));
  EXPECT_NE(text.find("cause_13"), std::string::npos);
  faults.count(77);  // not a standard cause: counted nowhere, refused nowhere
}

}  // namespace
}  // namespace iommusim::timing
