// SPDX-License-Identifier: Apache-2.0
// Strict assignment: each way to be wrong is refused with file:line:column, the path and what was expected.
#include "params/assign.h"

#include <gmock/gmock.h>

#include "example.h"

namespace iommusim::params {
namespace {

example::System assigned(const std::string& text) {
  example::System system;
  assign(system, load_yaml_text(text, "s.yaml"));
  return system;
}

std::string assign_error(const std::string& text, const std::string& set = "") {
  try {
    example::System system;
    Tree tree = load_yaml_text(text, "s.yaml");
    if (!set.empty()) apply_set(tree, set);
    assign(system, tree);
  } catch (const base::InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Assign, WhatIsNotMentionedKeepsItsDefault) {
  EXPECT_EQ(assigned("").iommu.iotlb.entries, 64U);
  const example::System system = assigned("iommu:\n  iotlb:\n    entries: 128\n  clock_mhz: 2GHz\n");
  EXPECT_EQ(system.iommu.iotlb.entries, 128U);
  EXPECT_EQ(system.iommu.clock_mhz, 2000U);
  EXPECT_EQ(system.iommu.iotlb.fill_ns, 10U);
  EXPECT_EQ(assigned("iommu:\n  iotlb:\ndevices:\n").iommu.iotlb.entries, 64U) << "an empty group changes nothing";
}

TEST(Assign, EveryKindOfFieldIsRead) {
  const example::System system = assigned(
      "iommu: {iotlb: {policy: plru, merge: false, fill_ns: 1.5us}}\n"
      "devices:\n  nic: {trace: 12, window: 1MiB, rate_gbps: 2.5, skew: -7}\n  gpu:\n"
      "ways: [1, 0x10]\ndelays: [1us]\noffsets: [-1]\nweights: []\ntags: [a, \"b c\"]\n");
  EXPECT_EQ(system.iommu.iotlb.policy, example::Policy::kPlru);
  EXPECT_FALSE(system.iommu.iotlb.merge);
  EXPECT_EQ(system.iommu.iotlb.fill_ns, 1500U);
  ASSERT_EQ(system.devices.size(), 2U);
  EXPECT_EQ(system.devices.at("nic").trace, "12");
  EXPECT_EQ(system.devices.at("nic").window, 1048576U);
  EXPECT_DOUBLE_EQ(system.devices.at("nic").rate_gbps, 2.5);
  EXPECT_EQ(system.devices.at("nic").skew, -7);
  EXPECT_THAT(system.ways, testing::ElementsAre(1, 16));
  EXPECT_THAT(system.delays, testing::ElementsAre(1000));
  EXPECT_THAT(system.offsets, testing::ElementsAre(-1));
  EXPECT_TRUE(system.weights.empty());
  EXPECT_THAT(system.tags, testing::ElementsAre("a", "b c"));
}

TEST(Assign, AnUnknownKeyGetsTheNearestName) {
  EXPECT_EQ(assign_error("iommu:\n  iotlb:\n    entires: 4\n"),
            "s.yaml:3:5: unknown key 'entires' in iommu.iotlb; did you mean 'entries'?");
  EXPECT_EQ(assign_error("iomu: {}\n"), "s.yaml:1:1: unknown key 'iomu' in the top level; did you mean 'iommu'?");
  EXPECT_EQ(assign_error("devices:\n  nic:\n    trce: x\n"),
            "s.yaml:3:5: unknown key 'trce' in devices.nic; did you mean 'trace'?");
}

TEST(Assign, AValueOutOfRangeGetsRangeAndUnit) {
  EXPECT_EQ(assign_error("iommu:\n  iotlb:\n    entries: 70000\n"),
            "s.yaml:3:14: iommu.iotlb.entries: 70000 is out of range; expected 1..65536 (count)");
  EXPECT_EQ(assign_error("iommu: {iotlb: {entries: 0}}"),
            "s.yaml:1:26: iommu.iotlb.entries: 0 is out of range; expected 1..65536 (count)");
  EXPECT_EQ(assign_error("iommu: {iotlb: {fill_ns: 2ms}}"),
            "s.yaml:1:26: iommu.iotlb.fill_ns: 2000000 is out of range; expected 0..1000000 (ns)");
  EXPECT_EQ(assign_error("devices: {a: {rate_gbps: 0}}"),
            "s.yaml:1:26: devices.a.rate_gbps: 0 is out of range; expected 0.001..1000 (Gbps)");
  EXPECT_THAT(assign_error("devices: {a: {window: 18446744073709551616}}"),
              testing::HasSubstr("expected 4096..18446744073709551615 (bytes)"));
  EXPECT_EQ(assign_error("ways: [4, 2000]"), "s.yaml:1:11: ways[1]: 2000 is out of range; expected 0..1024 (count)");
}

TEST(Assign, TheEdgesOfARangeAreInside) {
  EXPECT_EQ(assigned("iommu: {iotlb: {entries: 1}}").iommu.iotlb.entries, 1U);
  EXPECT_EQ(assigned("iommu: {iotlb: {entries: 65536}}").iommu.iotlb.entries, 65536U);
  EXPECT_EQ(assigned("devices: {a: {window: 18446744073709551615}}").devices.at("a").window, ~0ULL);
}

TEST(Assign, AWrongUnitGetsTheAcceptedOnes) {
  EXPECT_EQ(assign_error("iommu:\n  iotlb:\n    fill_ns: 10KiB\n"),
            "s.yaml:3:14: iommu.iotlb.fill_ns: '10KiB' has the wrong unit 'KiB'; expected ns, us, ms or s (a bare "
            "number is in ns)");
  EXPECT_THAT(assign_error("iommu: {clock_mhz: 3ns}"), testing::HasSubstr("expected kHz, MHz or GHz"));
}

TEST(Assign, AWrongTypeSaysWhatWasExpected) {
  EXPECT_EQ(assign_error("iommu: 3"), "s.yaml:1:8: iommu: expected a map of parameters, found a single value");
  EXPECT_EQ(assign_error("- a"), "s.yaml:1:1: the top level: expected a map of parameters, found a list");
  EXPECT_EQ(assign_error("iommu: {clock_mhz: [1]}"), "s.yaml:1:20: iommu.clock_mhz: expected a number, found a list");
  EXPECT_EQ(assign_error("iommu: {clock_mhz: }"), "s.yaml:1:20: iommu.clock_mhz: expected a number, found nothing");
  EXPECT_EQ(assign_error("ways: 3"), "s.yaml:1:7: ways: expected a list, found a single value");
  EXPECT_EQ(assign_error("devices: [a]"), "s.yaml:1:10: devices: expected a map of names, found a list");
  EXPECT_EQ(assign_error("devices: {a: {trace: }}"),
            "s.yaml:1:22: devices.a.trace: expected text (\"\" for none), found nothing");
  EXPECT_EQ(assign_error("iommu: {iotlb: {merge: yes}}"),
            "s.yaml:1:24: iommu.iotlb.merge: 'yes' is not a truth value; expected true or false");
}

TEST(Assign, AnUnknownChoiceGetsTheNearestAndAll) {
  EXPECT_EQ(assign_error("iommu: {iotlb: {policy: lur}}"),
            "s.yaml:1:25: iommu.iotlb.policy: unknown choice 'lur'; did you mean 'lru'? (lru, plru, random)");
}

TEST(Assign, ANameOfAGroupCanStandInAPath) {
  EXPECT_EQ(assign_error("devices: {a.b: {}}"),
            "s.yaml:1:11: 'a.b' in devices is not a name; expected letters, digits, '_' and '-'");
}

TEST(Assign, ErrorsOfSetNameTheOption) {
  EXPECT_EQ(assign_error("iommu: {iotlb: {entries: 3}}", "iommu.iotlb.entires=4"),
            "--set iommu.iotlb.entires=4: unknown key 'entires' in iommu.iotlb; did you mean 'entries'?");
  EXPECT_EQ(assign_error("iommu: {iotlb: {entries: 3}}", "iommu.iotlb.entries=0"),
            "--set iommu.iotlb.entries=0: iommu.iotlb.entries: 0 is out of range; expected 1..65536 (count)");
  EXPECT_EQ(assign_error("iommu: {iotlb: {entries: 0}}", "iommu.iotlb.entries=4"), "no error");
}

}  // namespace
}  // namespace iommusim::params
