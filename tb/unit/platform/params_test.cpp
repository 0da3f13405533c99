// SPDX-License-Identifier: Apache-2.0
#include "platform/params.h"

#include <gtest/gtest.h>

#include <set>

#include "params/assign.h"
#include "params/document.h"
#include "params/echo.h"
#include "params/tree.h"

namespace iommusim::platform {
namespace {

TEST(SystemParams, EveryParameterIsDescribedOnceWithADefaultInItsRange) {
  std::set<std::string> paths;
  for (const auto& row : params::descriptions<SystemParams>()) {  // throws for a default outside of its range
    EXPECT_TRUE(paths.insert(row.path).second) << row.path;
    EXPECT_FALSE(row.text.empty()) << row.path;
  }
  EXPECT_EQ(paths.count("iommu.engine.iotlb.entries"), 1U);
  EXPECT_EQ(paths.count("devices.<name>.replay.outstanding"), 1U);
}

TEST(SystemParams, TheEchoIsTheWholeSystem) {
  SystemParams system;
  system.name = "echo: \"quoted\"";
  system.seed.timing = 0xffffffffffffffff;
  system.iommu.engine.iotlb.policy = timing::Policy::kFifo;
  system.devices["a"].uniform.count = 17;
  const std::string echo = params::to_yaml(system);
  SystemParams read;
  params::assign(read, params::load_yaml_text(echo, "echo"));
  EXPECT_EQ(params::to_yaml(read), echo);
  EXPECT_EQ(read.seed.timing, 0xffffffffffffffff);
  EXPECT_EQ(read.devices.at("a").uniform.count, 17U);
}

}  // namespace
}  // namespace iommusim::platform
