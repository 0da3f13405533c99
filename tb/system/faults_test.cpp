// SPDX-License-Identifier: Apache-2.0
// What becomes of a DMA that nothing maps: the device gets an error, the fault queue a record with the right cause, and
// the driver drains it, however interrupts travel and however slow they are.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

// Line 9 comes after the unmap, line 10 from another function, which has an address space of its own.
constexpr const char* kTrace = R"(0,00:03.0,M,0x10000000,4096,0x100000
1,00:03.0,W,0x10000000,64,0x100000
2,00:04.0,M,0x50000000,4096,0x200000
3,00:03.0,R,0x20000000,64,
4,00:03.0,W,0x30000008,8,
5,00:03.0,R,0xffff000000000000,4,
6,00:03.0,R,0x800000000000,4,
7,00:03.0,U,0x10000000,4096,
8,00:03.0,R,0x10000000,64,
9,00:04.0,W,0x10000000,64,
10,00:04.0,R,0x50000000,64,0x200000
)";

struct Machine {
  explicit Machine(const std::string& unmapped) {
    trace = folder.write("t.csv", kTrace);
    system = folder.write("s.yaml", "devices: {d: {kind: replay, trace: t.csv, replay: {unmapped: " + unmapped +
                                        "}}}\nsoftware: {buffer_digest: true}\n");
  }
  Folder folder;
  std::string trace, system;
};

TEST(Faults, EachHasItsCauseAndIsDrained) {
  const Machine machine("fault");
  const Stats stats = run(machine.system);
  EXPECT_EQ(stats["run.transfers"], 8U);
  EXPECT_EQ(stats["run.failed_transfers"], 6U);
  EXPECT_EQ(stats["d.unmapped"], 6U);
  EXPECT_EQ(stats["iommu.faults.cause_13"], 4U);  // read page fault; an IOVA out of range is one too
  EXPECT_EQ(stats["iommu.faults.cause_15"], 2U);  // write page fault
  EXPECT_EQ(stats["iommu.faults.reported"], 6U);
  EXPECT_EQ(stats["iommu.faults.recorded"], 6U);
  EXPECT_EQ(stats["software.fault_records"], 6U);
  EXPECT_EQ(stats["run.bytes_moved"], 128U);
}

TEST(Faults, TheDriverLogsThem) {
  const Machine machine("fault");
  const Outcome outcome = call({"run", machine.system});
  EXPECT_EQ(outcome.exit, 0);
  for (const char* const part : {"cause 13 device 0x18 transaction 2 iotval 0x20000000 ",
                                 "cause 15 device 0x18 transaction 3 iotval 0x30000008 ",
                                 "cause 13 device 0x18 transaction 2 iotval 0xffff000000000000 ",
                                 "cause 13 device 0x18 transaction 2 iotval 0x800000000000 ",
                                 "cause 15 device 0x20 transaction 3 iotval 0x10000000 "})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "is not in\n" << outcome.err;
}

TEST(Faults, SkipLeavesThemOut) {
  const Machine machine("skip");
  const Stats stats = run(machine.system);
  EXPECT_EQ(stats["run.transfers"], 2U);
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["d.skipped"], 6U);
  EXPECT_EQ(stats["iommu.faults.reported"], 0U);
}

TEST(Faults, ErrorEndsWithTheLineOfTheTrace) {
  const Machine machine("error");
  const std::string output = machine.folder.path("out");
  const Outcome outcome = call({"run", machine.system, "-o", output});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_EQ(outcome.err.rfind(machine.trace + ":4", 0), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("expected a mapping before it"), std::string::npos) << outcome.err;
  EXPECT_FALSE(exists(output));
}

class FaultDelivery : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(FaultDelivery, ChangesNothingOfTheRecords) {
  const auto [interrupts, implementation] = GetParam();
  const Machine machine("fault");
  const Stats reference = run(machine.system);
  for (const char* const latency : {"0", "10 ms"}) {
    const Stats stats =
        run(machine.system, {"software.interrupts=" + interrupts, "iommu.implementation=" + implementation,
                             std::string("software.cost.interrupt_ns=") + latency});
    EXPECT_EQ(stats["software.fault_records"], 6U) << latency;
    EXPECT_EQ(stats.digest(), reference.digest()) << latency;
  }
}

using Way = std::tuple<std::string, std::string>;
INSTANTIATE_TEST_SUITE_P(Ways, FaultDelivery,
                         testing::Values(Way{"wires", "{igs: both}"}, Way{"messages", "{igs: both}"},
                                         Way{"wires", "{igs: msi}"},  // takes what there is
                                         Way{"messages", "{igs: wsi, fctl: 2}"}));

class FaultStorm : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

/// Far more faults than the queue holds: what is lost is counted, what is recorded is drained, all devices get answers.
TEST_P(FaultStorm, LosesWhatDoesNotFitAndDrainsTheRest) {
  const auto [interrupts, vectors] = GetParam();
  const Folder folder;
  std::string trace;
  for (unsigned i = 0; i < 500; ++i) trace += std::to_string(i) + ",00:03.0,R,0x20000000,64,\n";
  folder.write("t.csv", trace);
  const std::string system =
      folder.write("s.yaml", "devices: {d: {kind: replay, trace: t.csv, replay: {unmapped: fault}}}");
  const Stats stats =
      run(system, {"software.interrupts=" + interrupts, "software.vectors=" + vectors, "software.fault_queue_log2=3"});
  EXPECT_EQ(stats["run.failed_transfers"], 500U);
  EXPECT_EQ(stats["iommu.faults.reported"], 500U);
  EXPECT_GT(stats["iommu.faults.lost"], 0U);
  EXPECT_GT(stats["iommu.faults.recorded"], 7U);  // more than the queue's first filling
  EXPECT_EQ(stats["iommu.faults.recorded"] + stats["iommu.faults.lost"], 500U);
  EXPECT_EQ(stats["software.fault_records"], stats["iommu.faults.recorded"]);
}

INSTANTIATE_TEST_SUITE_P(Ways, FaultStorm,
                         testing::Combine(testing::Values("wires", "messages"), testing::Values("1", "4")));

}  // namespace
}  // namespace iommusim::system_test
