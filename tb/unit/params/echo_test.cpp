// SPDX-License-Identifier: Apache-2.0
// The echo names every field, and reading it back gives the same system bit by bit.
#include "params/echo.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "example.h"
#include "params/assign.h"

namespace iommusim::params {
namespace {

rc::Gen<double> finite_doubles() {
  return rc::gen::suchThat(rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                                        [](std::uint64_t image) {
                                          double value = 0;
                                          std::memcpy(&value, &image, sizeof value);
                                          return value;
                                        }),
                           [](double value) { return std::abs(value) <= 1e300; });
}

/// Characters that a quoted string must survive: controls, quotes, comment and flow signs, and two beyond ASCII.
rc::Gen<std::string> texts() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
          rc::gen::map(rc::gen::inRange(0, 128), [](int c) { return std::string(1, static_cast<char>(c)); }),
          rc::gen::element<std::string>("\xc3\xa9", "\xe2\x82\xac", "null", "~", ": ", " #", "'"))),
      [](const std::vector<std::string>& parts) {
        std::string all;
        for (const auto& part : parts) all += part;
        return all;
      });
}

example::System any_system() {
  example::System system;
  system.iommu.iotlb.entries = *rc::gen::inRange(1U, 65537U);
  system.iommu.iotlb.policy =
      *rc::gen::element(example::Policy::kLru, example::Policy::kPlru, example::Policy::kRandom);
  system.iommu.iotlb.merge = *rc::gen::arbitrary<bool>();
  system.iommu.clock_mhz = *rc::gen::inRange(1U, 10001U);
  for (const auto& name : *rc::gen::container<std::vector<std::string>>(
           rc::gen::element<std::string>("a", "nic-0", "null", "true", "7", "0x1", "NULL", "Y"))) {
    example::Device& device = system.devices[name];
    device.trace = *texts();
    device.window = *rc::gen::element<std::uint64_t>(4096, 5000, ~0ULL);
    device.skew = *rc::gen::inRange<std::int64_t>(-100, 101);
  }
  system.ways = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 1025U));
  system.delays = *rc::gen::arbitrary<std::vector<std::uint64_t>>();
  system.offsets = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(-1000, 1001));
  system.weights = *rc::gen::container<std::vector<double>>(finite_doubles());
  system.tags = *rc::gen::container<std::vector<std::string>>(texts());
  return system;
}

RC_GTEST_PROP(Echo, ReadsBackAsTheSameSystem, ()) {
  const example::System system = any_system();
  const std::string echo = to_yaml(system);
  example::System back;
  assign(back, load_yaml_text(echo, "echo.yaml"));

  RC_ASSERT(back.iommu.iotlb.entries == system.iommu.iotlb.entries);
  RC_ASSERT(back.iommu.iotlb.policy == system.iommu.iotlb.policy);
  RC_ASSERT(back.iommu.iotlb.fill_ns == system.iommu.iotlb.fill_ns);
  RC_ASSERT(back.iommu.iotlb.merge == system.iommu.iotlb.merge);
  RC_ASSERT(back.iommu.clock_mhz == system.iommu.clock_mhz);
  RC_ASSERT(back.devices.size() == system.devices.size());
  for (const auto& [name, device] : system.devices) {
    RC_ASSERT(back.devices.at(name).trace == device.trace);
    RC_ASSERT(back.devices.at(name).window == device.window);
    RC_ASSERT(back.devices.at(name).skew == device.skew);
  }
  RC_ASSERT(back.ways == system.ways);
  RC_ASSERT(back.delays == system.delays);
  RC_ASSERT(back.offsets == system.offsets);
  RC_ASSERT(back.tags == system.tags);
  RC_ASSERT(back.weights.size() == system.weights.size());
  for (std::size_t i = 0; i < back.weights.size(); ++i)
    RC_ASSERT(std::memcmp(&back.weights[i], &system.weights[i], sizeof(double)) == 0);
  RC_ASSERT(to_yaml(back) == echo);
}

TEST(Echo, NamesEveryFieldInBaseUnits) {
  example::System system;
  system.devices["nic"].trace = "a b";
  EXPECT_EQ(to_yaml(system),
            "iommu:\n"
            "  iotlb:\n"
            "    entries: 64\n"
            "    policy: lru\n"
            "    fill_ns: 10\n"
            "    merge: true\n"
            "  clock_mhz: 1000\n"
            "devices:\n"
            "  nic:\n"
            "    trace: \"a b\"\n"
            "    window: 1048576\n"
            "    rate_gbps: 16\n"
            "    skew: 0\n"
            "ways: [4, 8]\n"
            "delays: []\n"
            "offsets: []\n"
            "weights: [0.5]\n"
            "tags: []\n");
  EXPECT_THAT(to_yaml(example::System{}), testing::HasSubstr("devices: {}\n"));
}

TEST(Echo, JsonHasTheSameValues) {
  example::System system;
  system.devices["nic"].window = ~0ULL;
  system.tags = {"\"quoted\"\n"};
  const auto json = nlohmann::json::parse(to_json(system));
  EXPECT_EQ(json["iommu"]["iotlb"]["policy"], "lru");
  EXPECT_EQ(json["devices"]["nic"]["window"].get<std::uint64_t>(), ~0ULL);
  EXPECT_EQ(json["tags"][0], "\"quoted\"\n");
  EXPECT_EQ(json["ways"], (nlohmann::json{4, 8}));
  EXPECT_EQ(json["iommu"]["iotlb"]["merge"], true);
}

}  // namespace
}  // namespace iommusim::params
