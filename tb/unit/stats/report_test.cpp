// SPDX-License-Identifier: Apache-2.0
// The sinks: stats.json with exact integers in a stable order, the text report, the list of definitions.
#include "stats/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "example.h"

namespace iommusim::stats {
namespace {

struct ReportFixture : testing::Test {
  ReportFixture() {
    iommu.accepted += ~0ULL;
    iommu.iotlb.lookups += 3;
    iommu.iotlb.hits += 1;
    iommu.iotlb.wait.add(10);
    iommu.iotlb.wait.add(100);
    iommu.in_flight.set(0, 2);
    iommu.in_flight.set(4, 1);
    iommu.advance(8);
  }
  example::Iommu iommu{"iommu"};
};

TEST_F(ReportFixture, JsonHasExactValuesByPath) {
  const Snapshot values(iommu);
  const auto json = nlohmann::json::parse(to_json({{"measured", &values}}));
  EXPECT_EQ(json["schema_version"], kSchemaVersion);
  const auto& root = json["measured"]["iommu"];
  EXPECT_EQ(root["accepted"]["value"].get<std::uint64_t>(), ~0ULL);
  EXPECT_EQ(root["accepted"]["unit"], "count");
  EXPECT_EQ(root["iotlb"]["hit_rate"]["numerator"], 1);
  EXPECT_EQ(root["iotlb"]["hit_rate"]["denominator"], 3);
  EXPECT_DOUBLE_EQ(root["iotlb"]["hit_rate"]["value"].get<double>(), 1.0 / 3.0);
  const auto& wait = root["iotlb"]["wait_cycles"];
  EXPECT_EQ(wait["count"], 2);
  EXPECT_EQ(wait["sum"], 110);
  EXPECT_EQ(wait["min"], 10);
  EXPECT_EQ(wait["max"], 100);
  EXPECT_EQ(wait["p50"], 10);
  EXPECT_EQ(wait["bins"], (nlohmann::json{{10, 10, 1}, {100, 101, 1}}));
  EXPECT_EQ(root["in_flight"]["integral"], 12);
  EXPECT_EQ(root["in_flight"]["time"], 8);
  EXPECT_EQ(root["in_flight"]["time_at_limit"], 4);
  EXPECT_DOUBLE_EQ(root["in_flight"]["average"].get<double>(), 1.5);
}

TEST_F(ReportFixture, JsonKeepsTheOrderAndIsTheSameEachTime) {
  const Snapshot values(iommu);
  const std::string once = to_json({{"warmup", &values}, {"measured", &values}});
  EXPECT_EQ(once, to_json({{"warmup", &values}, {"measured", &values}}));
  EXPECT_LT(once.find("\"schema_version\""), once.find("\"warmup\""));
  EXPECT_LT(once.find("\"warmup\""), once.find("\"measured\""));
  EXPECT_LT(once.find("\"lookups\""), once.find("\"hits\""));
  EXPECT_LT(once.find("\"wait_cycles\""), once.find("\"in_flight\""));
}

TEST_F(ReportFixture, ARatioWithoutDenominatorHasNoValue) {
  iommu.reset();
  const Snapshot values(iommu);
  const auto json = nlohmann::json::parse(to_json({{"measured", &values}}));
  EXPECT_TRUE(json["measured"]["iommu"]["iotlb"]["hit_rate"]["value"].is_null());
  EXPECT_TRUE(json["measured"]["iommu"]["in_flight"]["average"].is_null());
  EXPECT_THAT(to_text(values), testing::ContainsRegex("iommu\\.iotlb\\.hit_rate +- ratio"));
}

TEST_F(ReportFixture, TextHasALineForEach) {
  const std::string text = to_text(Snapshot(iommu));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 8);
  EXPECT_THAT(text, testing::ContainsRegex("iommu\\.accepted +18446744073709551615 count +requests taken\n"));
  EXPECT_THAT(text, testing::ContainsRegex("iommu\\.iotlb\\.hit_rate +0\\.333333 ratio +hits / lookups\n"));
  EXPECT_THAT(text, testing::HasSubstr("n=2 mean=55.00 min=10 p50=10 p90=100 p99=100 max=100"));
  EXPECT_THAT(text, testing::HasSubstr("average=1.500 max=2 limit=2 time_at_limit=4"));
}

TEST_F(ReportFixture, DefinitionsSayWhatEachIs) {
  const auto definitions = list_definitions(iommu);
  ASSERT_EQ(definitions.size(), 8U);
  EXPECT_EQ(definitions[1].path, "iommu.iotlb.lookups");
  EXPECT_EQ(definitions[1].kind, "counter");
  EXPECT_EQ(definitions[1].definition, "probes");
  EXPECT_EQ(definitions[4].kind, "ratio");
  EXPECT_EQ(definitions[5].kind, "histogram");
  EXPECT_EQ(definitions[5].unit, "cycle");
  EXPECT_EQ(definitions[6].kind, "occupancy");
}

}  // namespace
}  // namespace iommusim::stats
