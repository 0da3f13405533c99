// SPDX-License-Identifier: Apache-2.0
#include "platform/software_stats.h"

#include <gtest/gtest.h>

#include "stats/report.h"
#include "uapi/ioctls.h"

namespace iommusim::platform {
namespace {

TEST(SoftwareStats, HasAGroupForEveryIoctl) {
  stats::Group root("system");
  SoftwareStats software(root, "software");
  for (const uapi::IoctlRow& row : uapi::kIommuIoctls) ++software.of(row.command).calls;
  std::size_t groups = 0;
  bool map = false;
  for (const auto& row : stats::list_definitions(root)) {
    groups += row.path.size() > 6 && row.path.rfind(".calls") == row.path.size() - 6 ? 1 : 0;
    map |= row.path == "system.software.ioas_map.calls";
  }
  EXPECT_EQ(groups, std::size(uapi::kIommuIoctls));
  EXPECT_TRUE(map);
}

}  // namespace
}  // namespace iommusim::platform
