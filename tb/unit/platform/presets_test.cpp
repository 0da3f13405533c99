// SPDX-License-Identifier: Apache-2.0
#include "platform/presets.h"

#include <gtest/gtest.h>

#include "params/assign.h"
#include "platform/checks.h"

namespace iommusim::platform {
namespace {

SystemParams system_of(const std::string& text) {
  params::Tree tree = params::load_yaml_text(text, "system.yaml");
  apply_preset(tree);
  SystemParams out;
  params::assign(out, tree);
  return out;
}

TEST(Presets, EachIsASystemThatCanBe) {
  for (const auto& row : kPresets) {
    SystemParams params = system_of(std::string("preset: ") + row.name + "\ndevices: {g: {kind: uniform}}\n");
    EXPECT_EQ(params.preset, row.value);
    EXPECT_NO_THROW(check(params)) << row.name;
  }
}

TEST(Presets, WhatTheSystemSaysStandsAbove) {
  const SystemParams params =
      system_of("preset: embedded\niommu: {engine: {iotlb: {entries: 48}, walkers: {count: 2}}}\n");
  EXPECT_EQ(params.iommu.engine.iotlb.entries, 48U);
  EXPECT_EQ(params.iommu.engine.iotlb.ways, 4U);  // of the preset
  EXPECT_EQ(params.iommu.engine.walkers.count, 2U);
  EXPECT_EQ(params.iommu.engine.clock_mhz, 400U);
}

TEST(Presets, HoldForAllIommusOfASystem) {
  const SystemParams params = system_of("preset: embedded\niommus: {second: {engine: {iotlb: {ways: 8}}}}\n");
  EXPECT_EQ(params.iommus.at("second").engine.iotlb.entries, 32U);
  EXPECT_EQ(params.iommus.at("second").engine.iotlb.ways, 8U);
  EXPECT_EQ(params.iommu.engine.iotlb.ways, 4U);
}

TEST(Presets, WithoutOneTheDefaultsHold) {
  EXPECT_EQ(system_of("name: x\n").iommu.engine.iotlb.entries, SystemParams{}.iommu.engine.iotlb.entries);
}

TEST(Presets, ANameThatIsNoneIsRefusedWithItsPlace) {
  try {
    system_of("name: x\npreset: severe\n");
    FAIL();
  } catch (const base::InputError& error) {
    EXPECT_EQ(
        std::string(error.what()).rfind("system.yaml:2:9: preset: unknown choice 'severe'; did you mean 'server'?", 0),
        0U)
        << error.what();
  }
}

}  // namespace
}  // namespace iommusim::platform
