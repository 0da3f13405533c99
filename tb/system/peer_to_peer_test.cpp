// SPDX-License-Identifier: Apache-2.0
// DMA of a device to the memory of another one: refused or routed, as the topology says, by every mode of the IOMMU;
// what cannot be is refused with the line.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

const char* const kPeerSystem = R"(software: {stack: tables}
topology: {peer_to_peer: routed}
devices:
  nic: {kind: uniform, uniform: {bdf: "01:00.0", count: 500, window_bytes: 64 KiB, request_bytes: 64, alignment: 64, read_percent: 50}, window: {peer: gpu}}
  gpu: {kind: uniform, uniform: {bdf: "02:00.0", count: 300, window_bytes: 64 KiB, request_bytes: 64, alignment: 64}, bar: {bytes: 64 KiB, first: 16 TiB}}
)";

class PeerToPeer : public testing::Test {
 protected:
  const Folder folder;
  const std::string file = folder.write("s.yaml", kPeerSystem);

  void expect_objection(const std::string& set, const std::string& words) const {
    const Outcome outcome = call({"run", file, "--set", set});
    EXPECT_EQ(outcome.exit, 2) << set;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << set << ": " << outcome.err;
  }
};

TEST_F(PeerToPeer, RoutedServesAllAndMemorySeesNoneOfIt) {
  for (const char* const stage : {"software.tables.first_stage=sv39", "software.tables.second_stage=sv48x4",
                                  "software.tables.translation=bare", "iommu.mode=functional"}) {
    const Stats stats = run(file, {stage});
    EXPECT_EQ(stats["run.transfers"], 800U) << stage;
    EXPECT_EQ(stats["run.failed_transfers"], 0U) << stage;
    EXPECT_EQ(stats["peer_to_peer.gpu.routed"], 500U) << stage;
    EXPECT_EQ(stats["peer_to_peer.gpu.refused"], 0U) << stage;
    EXPECT_EQ(stats["peer_to_peer.gpu.bytes_read"] + stats["peer_to_peer.gpu.bytes_written"], 500U * 64) << stage;
    EXPECT_EQ(stats["memory.dma.requests"], 300U) << stage;
  }
}

TEST_F(PeerToPeer, RefusedFailsAllAndMemorySeesNoneOfIt) {
  const Stats stats = run(file, {"topology.peer_to_peer=refused"});
  EXPECT_EQ(stats["nic.dma.failed"], 500U);
  EXPECT_EQ(stats["gpu.dma.failed"], 0U);
  EXPECT_EQ(stats["peer_to_peer.gpu.refused"], 500U);
  EXPECT_EQ(stats["peer_to_peer.gpu.routed"], 0U);
  EXPECT_EQ(stats["memory.dma.requests"], 300U);
}

/// What a peer wrote is what it reads: the same data as from system memory.
TEST_F(PeerToPeer, DataAreThoseOfTheSameWindowInMemory) {
  const Stats peer = run(file, {"devices.nic.uniform.outstanding=1"});
  const Stats memory = run(file, {"devices.nic.uniform.outstanding=1", "devices.nic.window.peer=''"});
  EXPECT_EQ(memory["peer_to_peer.gpu.routed"], 0U);
  EXPECT_EQ(memory["memory.dma.requests"], 800U);
  EXPECT_EQ(peer.digest(), memory.digest());
}

TEST_F(PeerToPeer, BarsThatNobodyReachesChangeNothing) {
  const Stats with = run(file, {"devices.nic.window.peer=''"});
  const Stats without = run(file, {"devices.nic.window.peer=''", "devices.gpu.bar.bytes=0"});
  EXPECT_EQ(with.digest(), without.digest());
  EXPECT_EQ(with["run.simulated_ps"], without["run.simulated_ps"]);
}

TEST_F(PeerToPeer, WhatCannotBeIsRefused) {
  expect_objection("devices.gpu.bar.bytes=96 KiB", "expected a power of two, at least 4096");
  expect_objection("devices.gpu.bar.bytes=2 KiB", "expected a power of two, at least 4096");
  expect_objection("devices.gpu.bar.first=0x100000001000", "expected a multiple of bar.bytes");
  expect_objection("devices.gpu.bar.first=1 GiB", "is in system memory (memory.physical_bits), expected at least");
  expect_objection("iommu.implementation.pas=44", "beyond the physical addresses of an IOMMU");
  expect_objection("devices.nic.bar={bytes: 128 KiB, first: 16 TiB}", "the BAR overlaps that of gpu");
  expect_objection("devices.gpu.bar.bytes=32 KiB", "take 65536 bytes of the BAR, which has 32768");
  expect_objection("software.tables.first_leaf=2MiB", "take 2097152 bytes of the BAR, which has 65536");
  expect_objection("devices.nic.window.peer=gpux", "did you mean 'gpu'?");
  expect_objection("devices.gpu.window.peer=gpu", "expected bar.bytes of one");
  expect_objection("software.stack=iommufd", "only windows of generators on tables can be a peer's memory");
}

TEST_F(PeerToPeer, AnObjectionTellsTheLine) {
  const std::string bad = folder.write("bad.yaml", "name: x\ndevices:\n  d: {kind: uniform, bar: {bytes: 5000}}\n");
  const Outcome outcome = call({"run", bad});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_EQ(outcome.err.rfind(bad + ":3:35: ", 0), 0U) << outcome.err;
}

TEST_F(PeerToPeer, RoutersOfSeveralIommusLetOtherAccessesPassUnchanged) {
  const std::string system = example_system("topology.yaml");
  const Stats with = run(system, {"devices.reader.bar.bytes=1 MiB"});
  const Stats without = run(system);
  EXPECT_EQ(with.digest(), without.digest());
  EXPECT_EQ(with["run.simulated_ps"], without["run.simulated_ps"]);
  EXPECT_EQ(with["memory.second_dma.requests"], without["memory.second_dma.requests"]);
  EXPECT_EQ(with["peer_to_peer.reader.routed"] + with["peer_to_peer.reader.refused"], 0U);
}

}  // namespace
}  // namespace iommusim::system_test
