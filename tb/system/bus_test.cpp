// SPDX-License-Identifier: Apache-2.0
// The figures of docs/bus.md, and that the bus changes when data moves but not what.
#include <gtest/gtest.h>

#include <cmath>

#include "program.h"

namespace iommusim::system_test {
namespace {

/// Nanoseconds a transfer on the full Gen3 x8 link.
double ns_of(std::vector<std::string> sets) {
  for (std::string& set : sets) set = "devices.device.uniform." + set;
  const Stats stats = run(example_system("pcie-gen3x8.yaml"), sets);
  return static_cast<double>(stats["run.workload_ps"]) / static_cast<double>(stats["run.transfers"]) * 1e-3;
}

TEST(BusFigures, AGen3x8LinkCarriesWhatIsComputed) {
  constexpr double kBytesPerNs = 57.9 / 8;
  EXPECT_NEAR(ns_of({}) * kBytesPerNs, 20 + 64, 0.3);
  EXPECT_NEAR(ns_of({"read_percent=0"}) * kBytesPerNs, 24 + 64, 0.3);
  EXPECT_NEAR(ns_of({"request_bytes=4096", "alignment=4096"}) * kBytesPerNs, 16 * 20 + 4096, 1);
  EXPECT_NEAR(ns_of({"request_bytes=4096", "alignment=4096", "read_percent=0"}) * kBytesPerNs, 16 * 24 + 4096, 1);
  EXPECT_NEAR(ns_of({"outstanding=1", "count=2000"}), 24 / kBytesPerNs + 84 / kBytesPerNs + 300 + 80.64, 1);
}

TEST(BusKinds, MoveTheSameData) {
  const Folder folder;
  const auto digest = [&](const std::string& bus) {
    return run(folder.write("s.yaml", "software: {buffer_digest: true}\nbus: " + bus +
                                          "\ndevices: {d: {kind: uniform, uniform: {window_bytes: 64 KiB, count: 3000, "
                                          "request_bytes: 3000, alignment: 1}}}\n"))
        .digest();
  };
  const std::string shared = digest("{kind: shared}");
  EXPECT_EQ(digest("{kind: pcie, pcie: {max_payload_bytes: 128}}"), shared);
  EXPECT_EQ(digest("{kind: pcie, pcie: {merge_tlps: true, tags: 3, posted_header_credits: 2}}"), shared);
  EXPECT_EQ(digest("{kind: axi, axi: {max_burst_beats: 16, outstanding_reads: 2}}"), shared);
}

TEST(BusKinds, NameWhatIsWrong) {
  const Folder folder;
  const auto refused = [&](const std::string& bus, const std::string& device, const std::string& words) {
    const Outcome outcome =
        call({"run", folder.write("s.yaml", "bus: " + bus + "\ndevices: {d: {kind: uniform, uniform: {count: 1}" +
                                                device + "}}\n")});
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
  };
  refused("{kind: pcie, pcie: {width: 3}}", "", "s.yaml:1:25: bus.pcie: width is none of 1, 2, 4, 8, 16");
  refused("{kind: pcie, links: {fast: {}}}", ", link: fats", "did you mean 'fast'?");
  refused("{kind: shared}", ", link: fast", "expected bus.kind pcie or axi");
  refused("{kind: axi, axi: {width_bytes: 12}}", "", "width_bytes is no power of two");
}

}  // namespace
}  // namespace iommusim::system_test
