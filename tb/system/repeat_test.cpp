// SPDX-License-Identifier: Apache-2.0
// Same inputs, same bits: whatever sinks are on, from the system file or from the echo of a run. And with other timing
// (caches, walkers, latencies, the timing seed), what a device and its buffers can see stays the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace iommusim::system_test {
namespace {

std::string replay_of(const std::string& name) {
  return "devices: {d: {kind: replay, trace: " + sample(name) + "}}\nsoftware: {buffer_digest: true}\n";
}

constexpr const char* kUniform = R"(
devices: {g: {kind: uniform, uniform: {count: 4000, window_bytes: 1 MiB, read_percent: 30}}}
software: {buffer_digest: true, largest_page_bytes: 4096}
)";

/// Kinds with a line each; the others are traces.
const std::map<std::string, std::string> kDevices{
    {"sequential", "{kind: sequential, traffic: {count: 4000, read_percent: 50}, sequential: {flows: 3}}"},
    {"tiles", "{kind: tiles, traffic: {count: 4000, read_percent: 50}, tiles: {order: random}}"},
    {"gpu", "{kind: gpu, traffic: {count: 4000, read_percent: 50}, gpu: {window_bytes: 4 MiB}}"},
    {"tenants",
     "{kind: tenants, traffic: {count: 4000, read_percent: 50}, gpu: {window_bytes: 1 MiB}, tenants: {patterns: "
     "[sequential, gpu, tiles, uniform], weights: [1, 2, 3], order: random, same_iovas: false}}"},
    {"nic", "{kind: nic, nic: {queues: 2, receive_packets: 1000, transmit_packets: 1000}, driver: {place: kernel}}"},
    {"nvme", "{kind: nvme, io: {queues: 2, count: 500, depth: 8, read_percent: 60}, driver: {layout: scattered}}"},
};

std::string workload(const std::string& name) {
  if (name == "uniform") return kUniform;
  const auto device = kDevices.find(name);
  if (device == kDevices.end()) return replay_of(name);
  return "devices: {d: " + device->second + "}\nsoftware: {buffer_digest: true, largest_page_bytes: 4096}\n";
}

class Repeat : public testing::TestWithParam<const char*> {};

TEST_P(Repeat, TheSameRunGivesTheSameBits) {
  const Folder folder;
  const std::string system = folder.write("system.yaml", workload(GetParam()));
  const std::string a = folder.path("a"), b = folder.path("some/deeper/b"), c = folder.path("c");
  ASSERT_EQ(call({"run", system, "-o", a}).exit, 0);
  ASSERT_EQ(call({"run", system, "-o", b, "--quiet"}).exit, 0);
  for (const char* const file : {"/stats.json", "/summary.txt", "/config.yaml"})
    EXPECT_TRUE(read_file(a + file) == read_file(b + file)) << file;
  EXPECT_TRUE(call({"run", system, "--json"}).out == read_file(a + "/stats.json"));

  const Outcome from_echo = call({"run", a + "/config.yaml", "-o", c});
  ASSERT_EQ(from_echo.exit, 0) << from_echo.err;
  for (const char* const file : {"/stats.json", "/summary.txt", "/config.yaml"})
    EXPECT_TRUE(read_file(a + file) == read_file(c + file)) << file;
  const std::string summary = read_file(a + "/summary.txt");
  EXPECT_EQ(from_echo.out.substr(0, summary.size()), summary);
}

TEST_P(Repeat, SetAndSeedAreInTheEcho) {
  const Folder folder;
  const std::string system = folder.write("system.yaml", workload(GetParam()));
  const std::string a = folder.path("a"), b = folder.path("b");
  const std::vector<std::string> sets{"--set", "iommu.engine.iotlb={entries: 16, policy: random}", "--set",
                                      "memory.latency_ns=1 us"};
  std::vector<std::string> arguments{"run", system, "-o", a, "--seed", "77"};
  arguments.insert(arguments.end(), sets.begin(), sets.end());
  ASSERT_EQ(call(arguments).exit, 0);
  ASSERT_EQ(call({"run", a + "/config.yaml", "-o", b}).exit, 0);
  EXPECT_TRUE(read_file(a + "/stats.json") == read_file(b + "/stats.json"));
}

INSTANTIATE_TEST_SUITE_P(All, Repeat,
                         testing::Values("nvme-randread-4k.strict", "mixed-nvme-nic.strict", "uniform", "sequential",
                                         "tiles", "gpu", "tenants", "nic", "nvme"));

TEST(Progress, GoesToTheTerminalAndChangesNothing) {
  const Folder folder;
  const std::string system =
      folder.write("system.yaml", "devices: {g: {kind: uniform, uniform: {count: 100000, window_bytes: 16 MiB}}}");
  const Outcome silent = call({"run", system, "--json"});
  const Outcome shown = call({"run", system, "--json"}, true);
  EXPECT_EQ(silent.err, "");
  EXPECT_NE(shown.err.find('%'), std::string::npos);
  EXPECT_TRUE(silent.out == shown.out);
  EXPECT_EQ(call({"run", system, "--json", "--quiet"}, true).err, "");
}

class OtherTiming : public testing::TestWithParam<const char*> {};

/// How many DMAs fetch descriptors, and where buffers are when, depends on timing; packets and their data do not.
class OtherTimingOfRings : public testing::TestWithParam<const char*> {};

/// Sets that move time around and nothing else.
const std::vector<std::vector<std::string>> kTimings{
    {"iommu.mode=functional"},
    {"iommu.engine.iotlb.entries=0"},
    {"iommu.engine.iotlb.entries=16"},
    {"iommu.engine.iotlb={entries: 1024, ways: 4, policy: fifo}"},
    {"iommu.engine.walkers.count=1", "iommu.engine.miss_table.merge=false"},
    {"iommu.engine.walkers={count: 16, look_again: false}", "iommu.engine.miss_table.depth=1"},
    {"iommu.engine.clock_mhz=333", "memory.latency_ns=3 us"},
    {"bus={latency_up_ns: 0, latency_down_ns: 0, credits: 4}", "memory.latency_ns=0"},
    {"software.interrupts=messages", "software.cost={ioctl_ns: 0, mmio_ns: 7, memory_line_ns: 3}"},
    {"iommu.engine.walk_cache.first_stage.level1.entries=0", "iommu.engine.ddt_cache.entries=0"},
    {"iommu.engine.iotlb={entries: 16, policy: random}", "software.cost.ioctl_skew_ns=900", "seed.timing=1"},
    {"iommu.engine.iotlb={entries: 16, policy: random}", "software.cost.ioctl_skew_ns=900", "seed.timing=2"},
};

TEST_P(OtherTiming, LeavesResponsesDataAndFaults) {
  const std::string name = GetParam();
  const Folder folder;
  const std::string system = folder.write("system.yaml", workload(name));
  const Stats reference = run(system);
  EXPECT_NE(reference.digest("buffers"), "0x0000000000000000");
  std::vector<std::uint64_t> times{reference["run.simulated_ps"]};
  for (const auto& sets : kTimings) {
    const Stats other = run(system, sets);
    EXPECT_EQ(other.digest(), reference.digest()) << sets.front();
    EXPECT_EQ(other["run.transfers"], reference["run.transfers"]);
    EXPECT_EQ(other["run.bytes_moved"], reference["run.bytes_moved"]);
    times.push_back(other["run.simulated_ps"]);
  }
  // The last two differ by the seed alone: it must move time, or this test says nothing about it.
  EXPECT_NE(times[times.size() - 1], times[times.size() - 2]);
  std::sort(times.begin(), times.end());
  EXPECT_GE(std::unique(times.begin(), times.end()) - times.begin(), 8);
}

INSTANTIATE_TEST_SUITE_P(All, OtherTiming,
                         testing::Values("nvme-randread-4k.strict", "nic-rx-stream.strict", "mixed-nvme-nic.strict",
                                         "uniform", "sequential", "tiles", "gpu", "tenants"));

TEST_P(OtherTimingOfRings, LeavesPacketsAndCommands) {
  const Folder folder;
  const std::string system = folder.write("system.yaml", workload(GetParam()));
  const Stats reference = run(system);
  for (const auto& sets : kTimings) {
    const Stats other = run(system, sets);
    EXPECT_EQ(other.digest(), reference.digest()) << sets.front();
    EXPECT_EQ(other["d_driver.payload_bytes"], reference["d_driver.payload_bytes"]) << sets.front();
  }
}

INSTANTIATE_TEST_SUITE_P(All, OtherTimingOfRings, testing::Values("nic", "nvme"));

}  // namespace
}  // namespace iommusim::system_test
