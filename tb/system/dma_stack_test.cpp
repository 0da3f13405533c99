// SPDX-License-Identifier: Apache-2.0
// Replays through the DMA API of the kernel: the devices see what they see behind iommufd, and invalidations come when
// the policy, or the trace, says so.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

const char* const kReplay = "devices: {d: {kind: replay, replay: {outstanding: 1}}}\n";
const char* const kKernel = "software.stack=kernel";
const char* const kDeferred = "software.dma.invalidation=deferred";
const char* const kRecorded = "devices.d.replay.invalidations=recorded";

struct DmaStack : ::testing::Test {
  Stats replay(const std::string& trace, std::vector<std::string> sets) {
    sets.push_back("devices.d.trace=" + sample(trace));
    sets.emplace_back("software.buffer_digest=true");
    const Stats stats = run(folder.write("s.yaml", kReplay), sets);
    EXPECT_EQ(stats["run.failed_transfers"], 0U);
    EXPECT_EQ(stats["software.dma.maps"], stats["software.dma.unmaps"]);
    EXPECT_EQ(stats["software.dma.waiting"], 0U);
    return stats;
  }
  Folder folder;
};

TEST_F(DmaStack, DevicesSeeTheSameByEveryStackAndPolicy) {
  for (const char* const trace : {"mixed-nvme-nic.strict", "nic-rx-stream.strict"}) {
    const std::string iommufd = replay(trace, {}).digest();
    EXPECT_EQ(replay(trace, {kKernel}).digest(), iommufd) << trace;
    EXPECT_EQ(replay(trace, {kKernel, kDeferred}).digest(), iommufd) << trace;
    EXPECT_EQ(replay(trace, {kKernel, kRecorded}).digest(), iommufd) << trace;
    EXPECT_EQ(replay(trace, {kKernel, kRecorded, "devices.d.replay.outstanding=16"}).digest(), iommufd) << trace;
  }
}

TEST_F(DmaStack, StrictInvalidatesEachUnmapAsIommufdDoes) {
  const Stats iommufd = replay("nic-rx-stream.strict", {});
  const Stats kernel = replay("nic-rx-stream.strict", {kKernel});
  EXPECT_EQ(kernel["software.dma.syncs"], kernel["d.unmaps"]);
  EXPECT_EQ(kernel["iommu.commands.iotinval_page"], 1491U);  // pages of the U lines
  EXPECT_EQ(kernel["iommu.iotlb.misses"], iommufd["iommu.iotlb.misses"]);
  EXPECT_EQ(kernel["software.dma.flushes_full"] + kernel["software.dma.flushes_timeout"], 0U);
}

TEST_F(DmaStack, RecordedExecutesTheLinesOfTheTraceAndNothingElse_invalidations) {
  const Stats recorded =
      replay("nic-rx-stream.strict", {kKernel, kRecorded, "software.flush_all_threshold_bytes=4096"});
  EXPECT_EQ(recorded["software.dma.syncs"], recorded["d.invalidations"]);
  EXPECT_EQ(recorded["software.dma.flushes_asked"], 1U);       // the end
  EXPECT_EQ(recorded["iommu.commands.iotinval_page"], 1491U);  // pages of the I lines
  EXPECT_EQ(recorded["iommu.commands.iotinval_space"], 4U);    // attach, end and detach
}

TEST_F(DmaStack, CallsTakeTheirTime_dma_call_ns) {
  const std::string trace = folder.write("maps.csv",
                                         "0,00:03.0,M,0x10000,4096,0x1000\n1,00:03.0,M,0x20000,4096,0x2000\n"
                                         "2,00:03.0,M,0x30000,4096,0x3000\n3,00:03.0,R,0x30000,64,\n");
  const auto time_of = [&](const char* cost) {
    return run(folder.write("s.yaml", kReplay), {kKernel, cost, "devices.d.trace=" + trace})["run.workload_ps"];
  };
  const std::uint64_t at_100 = time_of("software.cost.dma_call_ns=100");
  EXPECT_EQ(at_100 - time_of("software.cost.dma_call_ns=99"), 3'000U);
  EXPECT_EQ(at_100 - time_of("software.cost.dma_call_ns=0"), 300'000U);
}

/// Accesses after the unmap: the IOTLB knows the first page only.
TEST_F(DmaStack, BetweenUnmapAndInvalidationTheDeviceReachesWhatTheIotlbHolds) {
  const std::string trace = folder.write("stale.csv",
                                         "0,00:03.0,M,0x10000,8192,0x1000\n0,00:03.0,M,0x20000,4096,0x5000\n"
                                         "1,00:03.0,R,0x10000,64,\n2,00:03.0,U,0x10000,8192,\n"
                                         "3,00:03.0,R,0x10000,64,\n4,00:03.0,R,0x11000,64,\n"
                                         "5,00:03.0,I,0x20000,4096,\n6,00:03.0,R,0x10000,64,\n"
                                         "7,00:03.0,I,0x10000,8192,\n8,00:03.0,R,0x10000,64,\n");
  const auto failures = [&](std::vector<std::string> sets) {
    sets.insert(sets.end(), {kKernel, "devices.d.trace=" + trace, "devices.d.replay.unmapped=fault"});
    const Stats stats = run(folder.write("s.yaml", kReplay), sets);
    EXPECT_EQ(stats["software.fault_records"], stats["run.failed_transfers"]);
    return stats["run.failed_transfers"];
  };
  EXPECT_EQ(failures({kRecorded}), 2U);  // 0x11000, and 0x10000 after its own I line
  EXPECT_EQ(failures({}), 4U);
  EXPECT_EQ(failures({kDeferred}), 1U);  // the flush comes at the end
  EXPECT_EQ(failures({kDeferred, "software.dma.queue_timeout_ns=1"}), 4U);
}

TEST_F(DmaStack, RecordedInvalidationsReachTheDevicesOwnCache) {
  const std::vector<std::string> ats = {kKernel, kRecorded, "software.ats=true", "iommu.implementation.ats=true",
                                        "devices.d.atc.present=true"};
  const Stats with_atc = replay("nic-rx-stream.strict", ats);
  EXPECT_EQ(with_atc.digest(), replay("nic-rx-stream.strict", {kKernel, kRecorded}).digest());
  EXPECT_GE(with_atc["iommu.commands.ats"], with_atc["d.invalidations"]);
}

TEST_F(DmaStack, FunctionsOfOneGroupCannotHaveAnAddressSpaceEach) {
  const std::string system = folder.write("s.yaml",
                                          "devices: {d: {kind: replay, below: s}}\n"
                                          "bus: {kind: pcie}\ntopology: {bridges: {s: {acs: false}}}\n");
  const std::string trace = "devices.d.trace=" + sample("mixed-nvme-nic.strict");
  const Outcome outcome = call({"run", system, "--set", kKernel, "--set", trace});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_NE(outcome.err.find("EBUSY"), std::string::npos) << outcome.err;
  EXPECT_EQ(call({"run", system, "--set", kKernel, "--set", trace, "--set", "topology.bridges.s.acs=true"}).exit, 0);
}

TEST_F(DmaStack, AMapBeforeTheRecordedInvalidationEndsTheRun) {
  const std::string trace = folder.write("early.csv",
                                         "0,00:03.0,M,0x10000,4096,0x1000\n1,00:03.0,U,0x10000,4096,\n"
                                         "2,00:03.0,M,0x10000,4096,0x2000\n3,00:03.0,I,0x10000,4096,\n");
  const Outcome outcome = call({"run", folder.write("s.yaml", kReplay), "--set", kKernel, "--set", kRecorded, "--set",
                                "devices.d.trace=" + trace});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_NE(outcome.err.find("early.csv:3"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("EEXIST"), std::string::npos) << outcome.err;
}

TEST_F(DmaStack, OwnIovasChangeNothingThatTheDeviceSees_iovas) {
  const char* const kOwn = "devices.d.replay.iovas=own";
  for (const char* const trace : {"mixed-nvme-nic.strict", "nvme-randread-4k.strict"}) {
    const Stats recorded = replay(trace, {kKernel});
    const Stats own = replay(trace, {kKernel, kOwn});
    const Stats deferred = replay(trace, {kKernel, kOwn, kDeferred, "devices.d.replay.outstanding=16"});
    for (const char* const part : {"responses", "reads"}) {
      EXPECT_EQ(own.digest(part), recorded.digest(part)) << trace << " " << part;
      EXPECT_EQ(deferred.digest(part), recorded.digest(part)) << trace << " " << part;
    }
    EXPECT_EQ(own["software.dma.iova_cache_hits"] + own["software.dma.iova_tree_searches"], own["software.dma.maps"]);
    EXPECT_GT(own["software.dma.iova_cache_hits"], 0U);
  }
}

TEST_F(DmaStack, AFullFlushQueueIsOneInvalidationForAll_queue_entries) {
  const auto flushes = [&](const char* entries) {
    return replay("nic-rx-stream.strict", {kKernel, kDeferred, "devices.d.replay.iovas=own", entries,
                                           "software.dma.queue_timeout_ns=1 s"})["software.dma.flushes_full"];
  };
  EXPECT_EQ(flushes("software.dma.queue_entries=1368"), 1U);  // 1369 unmaps, with those of the end
  EXPECT_EQ(flushes("software.dma.queue_entries=1369"), 0U);
  EXPECT_EQ(flushes("software.dma.queue_entries=100"), 13U);
}

TEST_F(DmaStack, TheOldestUnmapWaitsNoLonger_queue_timeout_ns) {
  const std::string trace = folder.write("wait.csv",
                                         "0,00:03.0,M,0x10000,4096,0x1000\n0,00:03.0,M,0x20000,4096,0x2000\n"
                                         "0,00:03.0,U,0x10000,4096,\n900000,00:03.0,R,0x20000,64,\n");
  const auto flushes = [&](const char* timeout) {
    return run(folder.write("s.yaml", kReplay), {kKernel, kDeferred, timeout, "devices.d.trace=" + trace,
                                                 "devices.d.replay.timing=trace"})["software.dma.flushes_timeout"];
  };
  EXPECT_EQ(flushes("software.dma.queue_timeout_ns=890 us"), 1U);
  EXPECT_EQ(flushes("software.dma.queue_timeout_ns=910 us"), 0U);  // the run's end comes first
}

}  // namespace
}  // namespace iommusim::system_test
