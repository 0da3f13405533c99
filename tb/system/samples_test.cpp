// SPDX-License-Identifier: Apache-2.0
// The sample traces and the example systems run from power-on to shutdown, and what the parts of the machine counted
// agrees with the trace and with one another.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace iommusim::system_test {
namespace {

class Samples : public testing::TestWithParam<const char*> {};

TEST_P(Samples, TheMachineCountsWhatTheTraceHolds) {
  const std::string trace = sample(GetParam());
  const Outcome info_outcome = call({"trace", "info", "--json", trace});
  ASSERT_EQ(info_outcome.exit, 0);
  const auto info = nlohmann::json::parse(info_outcome.out);
  const auto events = [&](const char* op) { return info.at("ops").at(op).at("events").get<std::uint64_t>(); };
  const auto bytes = [&](const char* op) { return info.at("ops").at(op).at("bytes").get<std::uint64_t>(); };
  const std::uint64_t sources = info.at("sources").size();

  const Folder folder;
  const Stats stats = run(folder.write("system.yaml", "devices: {d: {kind: replay, trace: " + trace + "}}\n"));
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["run.transfers"], events("R") + events("W"));
  EXPECT_EQ(stats["run.bytes_moved"], bytes("R") + bytes("W"));
  EXPECT_EQ(stats["d.reads"], events("R"));
  EXPECT_EQ(stats["d.writes"], events("W"));
  EXPECT_EQ(stats["d.maps"], events("M"));
  EXPECT_EQ(stats["d.unmaps"], events("U"));
  EXPECT_EQ(stats["d.invalidations"], events("I"));

  // Software: an ioctl a line, and one unmap of what is left at the end of each source.
  EXPECT_EQ(stats["software.ioas_map.calls"], events("M"));
  EXPECT_EQ(stats["software.ioas_unmap.calls"], events("U") + sources);
  EXPECT_EQ(stats["software.ioas_map.errors"], 0U);
  EXPECT_EQ(stats["software.ioas_alloc.calls"], sources);
  EXPECT_EQ(stats["software.destroy.calls"], sources);

  // What a part sent is what the next one got.
  EXPECT_EQ(stats["iommu.requests.completed"], stats["iommu.requests.accepted"]);
  EXPECT_EQ(stats["memory.dma.bytes_read"], bytes("R"));
  EXPECT_EQ(stats["memory.dma.bytes_written"], bytes("W"));
  EXPECT_EQ(stats["memory.dma.requests"], stats["iommu.requests.accepted"]);
  EXPECT_EQ(stats["memory.iommu.requests"], stats["iommu.memory_port.issued"]);
  EXPECT_EQ(stats["bus.requests"], stats["bus.answered"]);
  EXPECT_EQ(stats["iommu.memory_port.command_queue"], stats["iommu.commands.executed"]);
  EXPECT_GE(stats["iommu.commands.fences"], events("U"));  // unmapping is strict
  EXPECT_EQ(stats["iommu.faults.reported"], 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Samples,
                         testing::Values("nvme-randread-4k.strict", "nic-rx-stream.strict", "mixed-nvme-nic.strict"));

class ExampleSystems : public testing::TestWithParam<const char*> {};

TEST_P(ExampleSystems, Runs) {
  const Outcome outcome = call({"run", example_system(GetParam())});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  for (const char* const part : {"throughput", "latency, ns", "IOTLB", "walk cache", "reads a walk", "walkers busy",
                                 "invalidations", "faults", " 0 failed"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(All, ExampleSystems,
                         testing::Values("nvme-replay.yaml", "nic-replay.yaml", "mixed.yaml", "uniform.yaml",
                                         "ddr-cache.yaml", "accelerators.yaml", "pcie.yaml", "topology.yaml",
                                         "nic.yaml", "nvme.yaml"));

}  // namespace
}  // namespace iommusim::system_test
