// SPDX-License-Identifier: Apache-2.0
// Systems of several IOMMUs, bridges and functions: DMA goes right through all, each IOMMU counts its own, and iommufd
// lets share and keeps apart what it must.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

TEST(TopologySystem, TheExampleRunsAndEachIommuCountsItsOwn) {
  const Stats stats = run(example_system("topology.yaml"));
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["run.transfers"], 12'600U);
  EXPECT_EQ(stats["iommu.requests.accepted"], 12'000U);  // a transfer is one TLP, of the reader two at most
  EXPECT_EQ(stats["second.requests.accepted"], 600U);
  EXPECT_EQ(stats["iommu.requests.completed"], 12'000U);
  EXPECT_EQ(stats["second.requests.completed"], 600U);
  EXPECT_GT(stats["second.commands.executed"], 0U);
  EXPECT_EQ(stats["iommu.faults.reported"] + stats["second.faults.reported"], 0U);
  EXPECT_EQ(stats["memory.dma.requests"], 12'000U);
  EXPECT_EQ(stats["memory.second_dma.requests"], 600U);
  EXPECT_EQ(stats["bus.requests"], 12'000U);
  EXPECT_EQ(stats["second_bus.requests"], 600U);
  // One link for the two functions, and everything through the switch.
  EXPECT_EQ(stats["bus.nic0_link.packets_up"], 8'000U);
  EXPECT_EQ(stats["bus.switch0.packets_up"], 12'000U);
  EXPECT_EQ(stats["second_bus.pci0.packets_up"], 600U);
  // A program a group: nic0 with nic1, the reader, old0 with old1.
  EXPECT_EQ(stats["software.ioas_alloc.calls"], 3U);
}

TEST(TopologySystem, DataDoesNotDependOnTheTopology) {
  const std::string device = ": {kind: uniform, uniform: {window_bytes: 64 KiB, count: 3000, bdf: ";
  const std::string devices = "devices: {a" + device + "\"01:00.0\"}}, b" + device + "\"02:00.0\"}, ";
  const std::string rest = "software: {buffer_digest: true}\nbus: {kind: pcie}\n";
  const Folder folder;
  const Stats flat = run(folder.write("flat.yaml", rest + devices + "}}\n"));
  const Stats tree = run(folder.write("tree.yaml", rest + devices +
                                                       "below: leaf}}\niommus: {x: {}}\ntopology: {bridges: "
                                                       "{leaf: {below: root}, root: {iommu: x}}}\n"));
  EXPECT_EQ(flat.digest(), tree.digest());
  EXPECT_EQ(tree["x.requests.completed"], 3000U);
}

/// Two readers with the same window.
std::string with_equal_windows(const std::string& more_of_first, const std::string& system) {
  const auto device = [](const std::string& name, const std::string& bdf, const std::string& more) {
    return "  " + name + ": {kind: uniform, " + more + "uniform: {bdf: \"" + bdf +
           "\", window_bytes: 64 KiB, count: 100}}\n";
  };
  return "bus: {kind: pcie}\n" + system + "devices:\n" + device("a", "01:00.0", more_of_first) +
         device("b", "01:00.1", more_of_first);
}

TEST(TopologySystem, DevicesOfOneGroupShareAnAddressSpaceAndOthersDoNot) {
  const Folder folder;
  const auto exit_of = [&](const std::string& text) { return call({"run", folder.write("s.yaml", text)}).exit; };
  EXPECT_EQ(exit_of(with_equal_windows("", "")), 0);
  EXPECT_EQ(exit_of(with_equal_windows("acs: false, ", "")), 2);
  EXPECT_EQ(exit_of(with_equal_windows("below: s, ", "topology: {bridges: {s: {acs: true}}}\n")), 0);
  EXPECT_EQ(exit_of(with_equal_windows("below: s, ", "topology: {bridges: {s: {acs: false}}}\n")), 2);
  EXPECT_EQ(exit_of(with_equal_windows("below: s, ", "topology: {bridges: {s: {kind: pci, secondary_bus: 9}}}\n")), 2);
  const Outcome outcome = call({"run", folder.write("s.yaml", with_equal_windows("acs: false, ", ""))});
  EXPECT_NE(outcome.err.find("devices.b.window.iova"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("EEXIST"), std::string::npos) << outcome.err;
}

TEST(TopologySystem, IommufdDoesNotMapReservedRegions) {
  const Folder folder;
  const auto text = [](const char* device) {
    return "devices: {d: {kind: uniform, uniform: {count: 100}}}\ntopology: {reserved: {m: {kind: msi, device: " +
           std::string(device) + ", first: 0x100080000}}}\n";
  };
  const Outcome refused = call({"run", folder.write("s.yaml", text("d"))});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_NE(refused.err.find("devices.d.window.iova"), std::string::npos) << refused.err;
  EXPECT_EQ(call({"run", folder.write("s.yaml", text("d")), "--set", "devices.d.window.iova=8589934592"}).exit, 0);
}

TEST(TopologySystem, AnIommuWithoutDevicesIsRefused) {
  const Folder folder;
  const Outcome outcome =
      call({"run", folder.write("s.yaml", "iommus: {x: {}}\ndevices: {d: {kind: uniform, uniform: {count: 1}}}\n")});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_NE(outcome.err.find("iommus.x: no device is behind it"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace iommusim::system_test
