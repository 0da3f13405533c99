// SPDX-License-Identifier: Apache-2.0
// What the driver of the IOMMU can do beyond Linux's, in whole runs: fewer commands, the same DMA; and a command queue
// whose errors do not pass by themselves.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

// Each buffer of four pages is mapped for each packet, aligned to its size: an unmap of 16 KiB each.
constexpr const char* kBuffers =
    "{kind: nic, nic: {receive_packets: 300, transmit_packets: 300, packet_bytes: 9000}, driver: {place: kernel, "
    "buffer_pages: 4, buffers: 64, ring_entries: 64}}";

Stats run_buffers(std::vector<std::string> sets = {}) {
  sets.emplace_back("software.dma.invalidation=strict");
  return run_device(kBuffers, sets);
}

void expect_same_dma(const Stats& stats, const Stats& plain) {
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["d_driver.mismatched"], 0U);
  EXPECT_EQ(stats.digest("reads"), plain.digest("reads"));
  EXPECT_EQ(stats.digest("responses"), plain.digest("responses"));
}

TEST(IommuDriver, RangeInvalidation_ACommandAnUnmapWhereTheHardwareHasIt) {
  const Stats plain = run_buffers();
  const std::uint64_t unmaps = plain["d_driver.unmaps"];
  EXPECT_GE(plain["iommu.commands.iotinval_page"], 4 * unmaps);
  const Stats in_vain = run_buffers({"software.driver.range_invalidation=true"});
  EXPECT_EQ(in_vain["iommu.commands.iotinval_page"], plain["iommu.commands.iotinval_page"]);
  EXPECT_EQ(in_vain["run.workload_ps"], plain["run.workload_ps"]);
  const Stats unused = run_buffers({"iommu.implementation.s=true"});
  EXPECT_EQ(unused["iommu.commands.iotinval_page"], plain["iommu.commands.iotinval_page"]);
  const Stats ranges = run_buffers({"iommu.implementation.s=true", "software.driver.range_invalidation=true"});
  EXPECT_LE(ranges["iommu.commands.iotinval_page"], plain["iommu.commands.iotinval_page"] - 3 * unmaps);
  EXPECT_LT(ranges["run.workload_ps"], plain["run.workload_ps"]);
  expect_same_dma(ranges, plain);
}

TEST(IommuDriver, NonLeafInvalidation_SparesTheAddressSpace) {
  const std::vector<std::string> unmaps = {"software.flush_all_threshold_bytes=1 GiB", "iommu.implementation.nl=true",
                                           "iommu.implementation.s=true", "software.driver.range_invalidation=true"};
  const std::string device =
      "{kind: uniform, uniform: {window_bytes: 8 MiB, count: 200}, window: {chunk_bytes: 2 MiB}}";
  std::vector<std::string> sets = unmaps;
  sets.emplace_back("software.largest_page_bytes=4 KiB");
  const Stats whole = run_device(device, sets);
  EXPECT_GE(whole["iommu.commands.iotinval_space"], 4U) << "four chunks, each with its table";
  sets.emplace_back("software.driver.non_leaf_invalidation=true");
  const Stats narrow = run_device(device, sets);
  EXPECT_EQ(narrow["iommu.commands.iotinval_space"], whole["iommu.commands.iotinval_space"] - 4);
  EXPECT_EQ(narrow["iommu.commands.iotinval_page"], whole["iommu.commands.iotinval_page"] + 4);
  EXPECT_EQ(narrow.digest(), whole.digest());
}

TEST(IommuDriver, CommandLimit_FourAreFourAndMoreAreOne) {
  const Stats plain = run_buffers();
  const Stats four = run_buffers({"software.driver.command_limit=4"});
  EXPECT_EQ(four["iommu.commands.iotinval_page"], plain["iommu.commands.iotinval_page"]);
  EXPECT_EQ(four["run.workload_ps"], plain["run.workload_ps"]);
  const Stats three = run_buffers({"software.driver.command_limit=3"});
  EXPECT_LE(three["iommu.commands.iotinval_page"],
            plain["iommu.commands.iotinval_page"] - 4 * plain["d_driver.unmaps"]);
  EXPECT_GE(three["iommu.commands.iotinval_space"], plain["d_driver.unmaps"]);
  expect_same_dma(three, plain);
}

TEST(IommuDriver, CommandBatch_OneMoveOfTheTailAnUnmap) {
  const std::string slow = "software.cost.mmio_ns=1000";
  const Stats plain = run_buffers({slow});
  const Stats one = run_buffers({slow, "software.driver.command_batch=1"});
  EXPECT_EQ(one["run.workload_ps"], plain["run.workload_ps"]) << "the default";
  const Stats batches = run_buffers({slow, "software.driver.command_batch=5"});
  EXPECT_EQ(batches["iommu.commands.executed"], plain["iommu.commands.executed"]);
  EXPECT_LT(batches["run.workload_ps"], plain["run.workload_ps"]);
  expect_same_dma(batches, plain);
}

TEST(IommuDriver, DirtyTracking_ChangesNothingForWhoDoesNotTrack) {
  const Stats plain = run_buffers();
  for (const char* const choice : {"off", "hardware", "always"})
    EXPECT_EQ(run_buffers({std::string("software.driver.dirty_tracking=") + choice})["run.workload_ps"],
              plain["run.workload_ps"])
        << choice;
}

TEST(IommuDriver, ACommandThatStaysIllegalIsReplaced) {
  const Stats plain = run_buffers();
  // A fetch and the three after it, which are of the same entry.
  const Stats stats = run_buffers({"inject.x={kind: illegal_command, skip: 21, count: 4}"});
  EXPECT_EQ(stats["inject.x.strikes"], 4U);
  EXPECT_EQ(stats["software.commands_replaced"], 2U) << "a page by its address space, and that by all of them";
  EXPECT_EQ(stats["iommu.commands.executed"], plain["iommu.commands.executed"]);
  EXPECT_EQ(stats["iommu.commands.iotinval_all"], plain["iommu.commands.iotinval_all"] + 1);
  expect_same_dma(stats, plain);
}

TEST(IommuDriver, AQueueInBadMemoryMoves) {
  const Stats plain = run_buffers();
  const Stats stats = run_buffers({"inject.x={kind: poison, target: command_queue, skip: 20, count: 5}"});
  EXPECT_EQ(stats["inject.x.strikes"], 5U);
  EXPECT_EQ(stats["software.command_queue_moves"], 1U);
  EXPECT_EQ(stats["iommu.commands.executed"], plain["iommu.commands.executed"]);
  expect_same_dma(stats, plain);
}

}  // namespace
}  // namespace iommusim::system_test
