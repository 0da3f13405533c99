// SPDX-License-Identifier: Apache-2.0
// The JSON schema: closed objects, bounds, choices, and suffix patterns that agree with the parser.
#include <gtest/gtest.h>
#include <regex.h>

#include <nlohmann/json.hpp>

#include "example.h"
#include "params/document.h"
#include "params/quantity.h"

namespace iommusim::params {
namespace {

nlohmann::json example_schema() { return nlohmann::json::parse(to_json_schema<example::System>()); }

TEST(JsonSchema, ObjectsAreClosedAndNested) {
  const auto schema = example_schema();
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"].size(), 7U);
  const auto& iotlb = schema["properties"]["iommu"]["properties"]["iotlb"];
  EXPECT_EQ(iotlb["additionalProperties"], false);
  EXPECT_EQ(iotlb["properties"]["entries"]["anyOf"][0]["type"], "integer");
  EXPECT_EQ(iotlb["properties"]["entries"]["anyOf"][0]["maximum"], 65536);
  EXPECT_EQ(iotlb["properties"]["entries"]["description"], "translations held");
  EXPECT_EQ(iotlb["properties"]["policy"]["enum"].size(), 3U);
  EXPECT_EQ(iotlb["properties"]["merge"]["type"], "boolean");
}

TEST(JsonSchema, NamedGroupsAndListsDescribeTheirElements) {
  const auto schema = example_schema();
  const auto& device = schema["properties"]["devices"]["additionalProperties"];
  EXPECT_EQ(device["properties"]["window"]["anyOf"][0]["maximum"].get<std::uint64_t>(), ~0ULL);
  EXPECT_EQ(device["properties"]["skew"]["anyOf"][0]["minimum"], -100);
  EXPECT_EQ(device["properties"]["rate_gbps"]["anyOf"][0]["minimum"], 0.001);
  EXPECT_EQ(schema["properties"]["tags"]["items"]["type"], "string");
  EXPECT_EQ(schema["properties"]["ways"]["type"], "array");
  EXPECT_EQ(schema["properties"]["ways"]["items"]["anyOf"][0]["minimum"], 0);
}

TEST(JsonSchema, ThePatternAgreesWithTheParser) {
  const auto schema = example_schema();
  const auto& fill_ns = schema["properties"]["iommu"]["properties"]["iotlb"]["properties"]["fill_ns"];
  regex_t pattern;
  ASSERT_EQ(regcomp(&pattern, fill_ns["anyOf"][1]["pattern"].get<std::string>().c_str(), REG_EXTENDED | REG_NOSUB), 0);
  for (const char* text : {"10", "10ns", "1.5 us", "0x10", "1e3", "10KiB", "ns", "", "1..5", "5.", ".5us", "-1", "1 2"})
    EXPECT_EQ(regexec(&pattern, text, 0, nullptr, 0) == 0, parse_integer(text, Unit::kNs).error.empty()) << text;
  regfree(&pattern);
}

}  // namespace
}  // namespace iommusim::params
