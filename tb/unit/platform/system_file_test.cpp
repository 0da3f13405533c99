// SPDX-License-Identifier: Apache-2.0
#include "platform/system_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace iommusim::platform {
namespace {

struct SystemFileTest : ::testing::Test {
  std::string path = ::testing::TempDir() + "system_file_test.yaml";
  ~SystemFileTest() override { std::remove(path.c_str()); }
  SystemFile read(const std::string& text, const std::vector<std::string>& sets = {},
                  std::optional<std::uint64_t> seed = {}) {
    std::ofstream(path) << text;
    return SystemFile(path, sets, seed);
  }
  std::string objection(const std::string& text, const std::vector<std::string>& sets = {}) {
    try {
      read(text, sets);
      return "";
    } catch (const base::InputError& error) {
      return error.what();
    }
  }
};

TEST_F(SystemFileTest, SetsAndSeedComeOnTop) {
  const SystemFile file = read("devices: {g: {kind: uniform}}\niommu: {engine: {iotlb: {entries: 8}}}\n",
                               {"iommu.engine.iotlb.entries=32"}, 9);
  EXPECT_EQ(file.params().iommu.engine.iotlb.entries, 32U);
  EXPECT_EQ(file.params().seed.workload, 9U);
  EXPECT_EQ(file.params().seed.timing, 9U);
}

TEST_F(SystemFileTest, AnObjectionHasThePlaceOfTheParameter) {
  EXPECT_EQ(objection("devices: {g: {kind: uniform}}\nsoftware:\n  address_bits: 41\n").rfind(path + ":3:17: ", 0), 0U);
  EXPECT_EQ(objection("devices: {g: {kind: uniform}}\n", {"software.address_bits=41"})
                .rfind("--set software.address_bits=41: ", 0),
            0U);
}

TEST_F(SystemFileTest, WhatIsFoundLaterIsLocatedToo) {
  const SystemFile file = read("devices:\n  g: {kind: uniform}\n");
  try {
    file.located([]() -> int { throw ParameterError("devices.g.uniform.bdf", "is in use, expected another"); });
    FAIL();
  } catch (const base::InputError& error) {
    EXPECT_EQ(std::string(error.what()), path + ":2:6: devices.g.uniform.bdf: is in use, expected another");
  }
}

}  // namespace
}  // namespace iommusim::platform
