// SPDX-License-Identifier: Apache-2.0
// Systems that begin with tables: what each parameter of software.tables changes in memory, seen by what the IOMMU
// reads; that data arrive; what is refused.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

const char* const kSystem = R"(
iommu:
  implementation: {pd8: true, pd17: true, pd20: true}
  engine:
    ddt_cache: {entries: 0}
    pdt_cache: {entries: 0}
    directory_cache: {entries: 0}
    iotlb: {entries: 0}
    walk_cache:
      first_stage: {level1: {entries: 0}, level2: {entries: 0}, level3: {entries: 0}, level4: {entries: 0}}
      second_stage: {level1: {entries: 0}, level2: {entries: 0}, level3: {entries: 0}, level4: {entries: 0}}
software: {stack: tables}
devices: {g: {kind: uniform, uniform: {count: 1, window_bytes: 64, read_percent: 0}}}
)";

/// Page-table reads of one request.
std::uint64_t reads(const std::vector<std::string>& sets) {
  const Folder folder;
  const Stats stats = run(folder.write("s.yaml", kSystem), sets);
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  return stats["iommu.walks.reads.sum"];
}

TEST(Tables, FirstStage) {
  EXPECT_EQ(reads({}), 3U);
  EXPECT_EQ(reads({"software.tables.first_stage=sv48"}), 4U);
  EXPECT_EQ(reads({"software.tables.first_stage=sv57"}), 5U);
  EXPECT_EQ(reads({"software.tables.first_stage=bare"}), 0U);
}

TEST(Tables, FirstLeaf) {
  EXPECT_EQ(reads({"software.tables.first_leaf=2MiB"}), 2U);
  EXPECT_EQ(reads({"software.tables.first_leaf=1GiB"}), 1U);
}

TEST(Tables, SecondStage) {
  EXPECT_EQ(reads({"software.tables.second_stage=sv39x4"}), 15U);
  EXPECT_EQ(reads({"software.tables.second_stage=sv57x4", "software.tables.first_stage=bare"}), 5U);
}

TEST(Tables, SecondLeaf) {
  EXPECT_EQ(reads({"software.tables.second_stage=sv39x4", "software.tables.second_leaf=2MiB"}), 11U);
  EXPECT_EQ(reads({"software.tables.second_stage=sv39x4", "software.tables.second_leaf=1GiB"}), 7U);
}

TEST(Tables, ProcessDirectoryAndProcess) {
  const Folder folder;
  const std::string file = folder.write("s.yaml", kSystem);
  for (const auto& [mode, levels] : {std::pair{"pd8", 1U}, {"pd17", 2U}, {"pd20", 3U}})
    EXPECT_EQ(run(file, {std::string("software.tables.process_directory=") + mode,
                         "software.tables.process=200"})["iommu.process_directory_walks.reads.sum"],
              levels);
  EXPECT_EQ(
      call({"run", file, "--set", "software.tables.process_directory=pd8", "--set", "software.tables.process=256"})
          .exit,
      2);
}

TEST(Tables, TranslationBare) {
  const Folder folder;
  const Stats stats = run(folder.write("s.yaml", kSystem), {"software.tables.translation=bare"});
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["iommu.memory_port.issued"], 0U);
}

TEST(Tables, WhatTheIommuDoesNotHaveIsRefused) {
  const Folder folder;
  const std::string file = folder.write("s.yaml", kSystem);
  const auto refused = [&](const std::string& set) {
    const Outcome outcome = call({"run", file, "--set", set});
    EXPECT_EQ(outcome.exit, 2) << set;
    return outcome.err;
  };
  EXPECT_NE(refused("iommu.implementation.sv39=false").find("iommu.implementation"), std::string::npos);
  EXPECT_NE(refused("devices.g.window.iova=0x4000000000").find("fits the first stage"), std::string::npos);
  const Outcome far =
      call({"run", file, "--set", "iommu.implementation.max_mode=1lvl", "--set", "devices.g.uniform.bdf='01:00.0'"});
  EXPECT_EQ(far.exit, 2);
  EXPECT_NE(far.err.find("beyond a directory of 1 levels"), std::string::npos) << far.err;
}

TEST(Tables, GeneratorsWithSeveralAddressSpaces) {
  const Folder folder;
  const std::string file = folder.write("s.yaml", R"(
software: {stack: tables}
devices: {g: {kind: sequential, traffic: {count: 64}, sequential: {flows: 4, window_bytes: 64KiB, own_spaces: true}}}
)");
  const Stats stats = run(file, {"software.tables.second_stage=sv39x4"});
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["iommu.ddt_cache.fills"], 4U) << "a function each";
  EXPECT_EQ(stats["iommu.iotlb.fills"], 64U);
  const Outcome bare = call({"run", file, "--set", "software.tables.first_stage=bare"});
  EXPECT_EQ(bare.exit, 2);
  EXPECT_NE(bare.err.find("several address spaces need a first stage"), std::string::npos) << bare.err;
}

TEST(Tables, PacketsOfTenantsShareTheirAddresses) {
  const Folder folder;
  const std::string tenants = IOMMUSIM_SOURCE "/systems/validation/tenants.yaml";
  const Stats four = run(tenants, {"devices.nic.packets.packets_per_tenant=50"});
  EXPECT_EQ(four["run.failed_transfers"], 0U);
  EXPECT_EQ(four["nic.accepted"], 200U);
  EXPECT_EQ(four["nic_atc.misses"], 12U) << "three pages each, once";
  const Stats five = run(tenants, {"devices.nic.packets.packets_per_tenant=50", "devices.nic.packets.tenants=5"});
  EXPECT_EQ(five["nic_atc.misses"], 5U + 2 * 250) << "ring and notification each time";
}

}  // namespace
}  // namespace iommusim::system_test
