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

}  // namespace
}  // namespace iommusim::system_test
