// SPDX-License-Identifier: Apache-2.0
// The NIC and the NVMe drive with their drivers, from the application's data to the medium and back: user programs and
// kernel drivers, mapping schemes, strict and deferred invalidation, wrong addresses.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

constexpr const char* kNic = "{kind: nic, nic: {queues: 3, receive_packets: 900, transmit_packets: 600}}";
constexpr const char* kNvme =
    "{kind: nvme, nvme: {read_ns: 3000, write_ns: 2000}, io: {queues: 2, depth: 8, count: 400, read_percent: 60}}";

void expect_all_well(const Stats& stats, const std::string& what) {
  EXPECT_EQ(stats["run.failed_transfers"], 0U) << what;
  EXPECT_EQ(stats["d_driver.failed"], 0U) << what;
  EXPECT_EQ(stats["d_driver.mismatched"], 0U) << what;
  EXPECT_EQ(stats["d_driver.stopped"], 0U) << what;
  EXPECT_EQ(stats["d_driver.maps"], stats["d_driver.unmaps"]) << what;
  EXPECT_EQ(stats["iommu.faults.reported"], 0U) << what;
}

/// All that a driver can be.
std::vector<std::vector<std::string>> ways() {
  std::vector<std::vector<std::string>> out;
  for (const char* const place : {"user", "kernel"})
    for (const char* const mapping : {"buffer", "ring", "pool"})
      for (const char* const layout : {"contiguous", "scattered"})
        out.push_back({std::string("devices.d.driver.place=") + place,
                       std::string("devices.d.driver.mapping=") + mapping,
                       std::string("devices.d.driver.layout=") + layout, "software.dma.invalidation=deferred"});
  out.push_back({"devices.d.driver.completion=polling"});
  out.push_back({"devices.d.driver.ring_entries=10", "devices.d.driver.batch=1", "devices.d.driver.buffers=11"});
  out.push_back({"software.stack=kernel", "software.dma={invalidation: deferred, queue_entries: 7, cpus: 2}"});
  return out;
}

TEST(Nic, EveryPacketArrivesWhole) {
  const Stats reference = run_device(kNic);
  for (const auto& sets : ways()) {
    auto all = sets;
    all.push_back("devices.d.driver.buffer_pages=2");
    const Stats stats = run_device(kNic, all);
    const std::string what = testing::PrintToString(sets);
    expect_all_well(stats, what);
    EXPECT_EQ(stats["d.receive.packets"], 900U) << what;
    EXPECT_EQ(stats["d.transmit.packets"], 600U) << what;
    EXPECT_EQ(stats["d_driver.completed"], 1500U) << what;
    EXPECT_EQ(stats["d_driver.payload_bytes"], 1500 * 1500U) << what;
    EXPECT_EQ(stats["d.mismatched"], 0U) << what;
    EXPECT_EQ(stats.digest("reads"), reference.digest("reads")) << what;
    EXPECT_EQ(stats.digest("responses"), reference.digest("responses")) << what;
  }
}

TEST(Nvme, EveryBlockIsWhatItShouldBe) {
  const Stats reference = run_device(kNvme);
  for (const auto& sets : ways()) {
    const Stats stats = run_device(kNvme, sets);
    const std::string what = testing::PrintToString(sets);
    expect_all_well(stats, what);
    EXPECT_EQ(stats["d_driver.completed"], 400U) << what;
    EXPECT_EQ(stats["d.reads"] + stats["d.writes"], 400U) << what;
    EXPECT_EQ(stats["d.changed"], 0U) << what;
    EXPECT_EQ(stats["d.payload_bytes"], 400 * 4096U) << what;
    EXPECT_EQ(stats.digest("reads"), reference.digest("reads")) << what;
    EXPECT_EQ(stats.digest("responses"), reference.digest("responses")) << what;
  }
}

TEST(Nic, APacketOfManyPagesContiguousOrScattered) {
  const std::string device =
      "{kind: nic, nic: {receive_packets: 200, transmit_packets: 200, packet_bytes: 9000}, driver: {buffer_pages: 3, "
      "ring_entries: 64, buffers: 64, layout: ";
  const Stats contiguous = run_device(device + "contiguous}}");
  const Stats scattered = run_device(device + "scattered, spread: 16}}");
  expect_all_well(contiguous, "contiguous");
  expect_all_well(scattered, "scattered");
  EXPECT_EQ(contiguous["d.receive.write_backs"], 200U);
  EXPECT_EQ(scattered["d.receive.write_backs"], 600U);
  EXPECT_GT(scattered["d_driver.maps"], 2 * contiguous["d_driver.maps"]);
  EXPECT_EQ(scattered.digest("reads"), contiguous.digest("reads"));
}

TEST(Nvme, LargeCommandsNameTheirPagesInAList) {
  const std::string device =
      "{kind: nvme, nvme: {read_ns: 3000}, io: {count: 100, depth: 4, read_percent: 50, io_bytes: ";
  const Stats list = run_device(device + "131072}, driver: {buffers: 8, layout: scattered}}");
  expect_all_well(list, "128 KiB");
  EXPECT_EQ(list["d.list_reads"], 100U);
  EXPECT_EQ(list["d.payload_bytes"], 100 * 131072U);
  const Stats two = run_device(device + "8192}, driver: {buffers: 8}}");
  expect_all_well(two, "8 KiB");
  EXPECT_EQ(two["d.list_reads"], 0U);
}

TEST(Nic, DeferredInvalidationMakesFewerCommands) {
  const std::string device = "{kind: nic, nic: {receive_packets: 2000}, driver: {place: kernel}}";
  const Stats strict = run_device(device);
  const Stats deferred = run_device(device, {"software.dma.invalidation=deferred"});
  EXPECT_GE(strict["iommu.commands.iotinval_page"], 2000U);
  EXPECT_LT(50 * deferred["iommu.commands.iotinval_page"], strict["iommu.commands.iotinval_page"]);
  EXPECT_GT(deferred["software.dma.flushes_full"], 5U);
  EXPECT_EQ(strict["d_driver.unmaps"], deferred["d_driver.unmaps"]);
  EXPECT_GT(strict["run.workload_ps"], deferred["run.workload_ps"]);
}

TEST(Nic, APoolIsMappedOnceAndABufferEachTime) {
  const std::string device =
      "{kind: nic, nic: {receive_packets: 2000}, driver: {place: kernel, buffers: 512, ring_entries: 128, mapping: ";
  const Stats buffer = run_device(device + "buffer}}");
  const Stats pool = run_device(device + "pool}}");
  const Stats ring = run_device(device + "ring}}");
  EXPECT_GE(buffer["d_driver.maps"], 2000U);
  EXPECT_EQ(pool["d_driver.maps"], 512U);
  EXPECT_EQ(ring["d_driver.maps"], 1U);
  EXPECT_LT(10 * pool["iommu.commands.iotinval_page"], 3 * buffer["iommu.commands.iotinval_page"]);
  EXPECT_LT(pool["run.workload_ps"], buffer["run.workload_ps"]);
}

TEST(Nic, AWrongAddressFaultsAndHurtsOnlyItsPacket) {
  for (const char* const place : {"user", "kernel"}) {
    const std::string device = std::string(
                                   "{kind: nic, nic: {receive_packets: 1000, transmit_packets: 1000}, driver: "
                                   "{wrong_every: 100, place: ") +
                               place + "}}";
    const Stats stats = run_device(device, {"bus.queue_depth=16"});
    EXPECT_GE(stats["d_driver.failed"], 20U) << place;
    EXPECT_EQ(stats["d_driver.failed"], stats["d.receive.failed"] + stats["d.transmit.failed"]) << place;
    EXPECT_EQ(stats["d_driver.completed"] + stats["d_driver.failed"], 2000U) << place;
    EXPECT_EQ(stats["d_driver.mismatched"] + stats["d.mismatched"], 0U) << place;
    EXPECT_GT(stats["iommu.faults.cause_13"], 0U) << place;
    EXPECT_GT(stats["iommu.faults.cause_15"], 0U) << place;
  }
}

TEST(Nvme, AWrongAddressEndsItsCommandWithAnError) {
  const Stats stats = run_device(kNvme, {"devices.d.driver.wrong_every=50"});
  EXPECT_EQ(stats["d_driver.failed"], 8U);
  EXPECT_EQ(stats["d.failed"], 8U);
  EXPECT_EQ(stats["d_driver.completed"], 392U);
  EXPECT_EQ(stats["d_driver.mismatched"] + stats["d.changed"], 0U);
  EXPECT_EQ(stats["iommu.faults.reported"], 8U);
}

TEST(Nic, AtARateWhatFindsNoRoomIsDropped) {
  const std::string device =
      "{kind: nic, nic: {receive_packets: 3000, rate_gbps: 40, fifo_packets: 16, interrupt_ns: 5000}, driver: "
      "{packet_ns: ";
  const Stats fast = run_device(device + "0, mapping: ring, ring_entries: 1024, buffers: 1023}}");
  EXPECT_EQ(fast["d.dropped"], 0U);
  EXPECT_EQ(fast["d.arrived"], 3000U);
  EXPECT_GE(fast["run.workload_ps"], 3000 * 1520 * 200U);  // 8 bits at 40 Gb/s are 200 ps
  const Stats slow = run_device(device + "2000, ring_entries: 64}}");
  EXPECT_GT(slow["d.dropped"], 100U);
  EXPECT_EQ(slow["d.dropped"] + slow["d.receive.packets"], 3000U);
  EXPECT_EQ(slow["d_driver.completed"], slow["d.receive.packets"]);
  EXPECT_EQ(slow["d_driver.mismatched"], 0U);
}

TEST(Nvme, TheMediumBoundsTheRate) {
  const std::string device =
      "{kind: nvme, nvme: {channels: 4, read_ns: 10000}, io: {count: 400, depth: 32}, driver: {mapping: ring}}";
  const Stats stats = run_device(device);
  EXPECT_GE(stats["d.active_ps"], 100 * 10'000'000U);
  EXPECT_LT(stats["d.active_ps"], 105 * 10'000'000U + 30'000'000U);
}

TEST(Rings, ParametersThatContradictEachOther) {
  const Folder folder;
  const auto complaint = [&](const std::string& device) {
    const Outcome outcome = call({"run", folder.write("s.yaml", "devices:\n  d: " + device + "\n")});
    EXPECT_EQ(outcome.exit, 2) << device;
    return outcome.err;
  };
  EXPECT_NE(complaint("{kind: nic, nic: {packet_bytes: 5000, transmit_packets: 1}}").find("buffer_pages"),
            std::string::npos);
  EXPECT_NE(complaint("{kind: nic, nic: {packet_bytes: 5000}, driver: {ring_entries: 2}}").find("expected more"),
            std::string::npos);
  EXPECT_NE(complaint("{kind: nvme, io: {depth: 256}}").find("expected less than driver.ring_entries"),
            std::string::npos);
  EXPECT_NE(complaint("{kind: nvme, io: {io_bytes: 5000}}").find("expected a multiple of 4096"), std::string::npos);
  EXPECT_NE(complaint("{kind: nvme, atc: {present: true}}").find("expected false"), std::string::npos);
}

}  // namespace
}  // namespace iommusim::system_test
