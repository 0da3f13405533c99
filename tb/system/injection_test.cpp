// SPDX-License-Identifier: Apache-2.0
// What goes wrong on purpose: each kind strikes as often as it says, is counted and logged, and the IOMMU, its driver
// and the devices react as the architecture wants. Nothing else of the run is disturbed: it ends well.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace iommusim::system_test {
namespace {

constexpr const char* kReader = R"(
devices:
  d: {kind: uniform, uniform: {window_bytes: 1 MiB, count: 2000, outstanding: 8, read_percent: 100}}
software: {largest_page_bytes: 4 KiB}
)";

class Injection : public testing::Test {
 protected:
  Stats run_with(const std::string& entry, std::vector<std::string> more = {}) {
    more.push_back("inject.x=" + entry);
    return run(system, more);
  }
  Folder folder;
  const std::string system = folder.write("s.yaml", kReader);
};

TEST_F(Injection, AnAccessFaultOfAWalkIsRecordedAndDrained) {
  const Stats stats = run_with("{kind: access_fault, target: first_stage, skip: 20, count: 3}");
  EXPECT_EQ(stats["inject.x.strikes"], 3U);
  EXPECT_EQ(stats["iommu.memory_port.injected"], 3U);
  EXPECT_EQ(stats["iommu.faults.cause_5"], 3U);
  EXPECT_EQ(stats["software.fault_records"], 3U);
  EXPECT_GE(stats["run.failed_transfers"], 3U);
  EXPECT_EQ(stats["run.transfers"], 2000U);
}

TEST_F(Injection, PoisonOfTheDirectoryIsToldAsSuch) {
  const Stats stats = run_with("{kind: poison, target: ddt, count: 1}");
  EXPECT_EQ(stats["iommu.faults.cause_268"], 1U);
  EXPECT_EQ(stats["software.fault_records"], 1U);
}

TEST_F(Injection, PoisonedDmaFailsAndIsNoFaultOfTheIommu) {
  const Stats stats = run_with("{kind: poison, target: dma, device: 8, every: 100}");
  EXPECT_EQ(stats["inject.x.strikes"], 20U);
  EXPECT_EQ(stats["run.failed_transfers"], 20U);
  EXPECT_EQ(stats["iommu.faults.reported"], 0U);
  EXPECT_EQ(run_with("{kind: poison, target: dma, device: 9}")["inject.x.events"], 0U) << "another device";
}

TEST_F(Injection, AnAddressRangeIsHitWhereItIs) {
  const Stats stats = run_with("{kind: access_fault, target: dma, address: 0x8000010000, bytes: 4 KiB}");
  EXPECT_GT(stats["inject.x.strikes"], 0U);
  EXPECT_LT(stats["inject.x.strikes"], 40U) << "one page of 256";
  EXPECT_EQ(stats["run.failed_transfers"], stats["inject.x.strikes"]);
}

TEST_F(Injection, DelaysChangeTimesOnly) {
  const Stats plain = run(system);
  for (const char* const target : {"own", "dma"}) {
    const Stats late = run_with("{kind: delay, target: " + std::string(target) + ", every: 50, delay_ns: 5 us}");
    EXPECT_GT(late["inject.x.strikes"], 5U) << target;
    EXPECT_GT(late["run.workload_ps"], plain["run.workload_ps"]) << target;
    EXPECT_EQ(late.digest(), plain.digest()) << target;
  }
}

class CommandError : public Injection, public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(CommandError, IsClearedByTheDriverAndTheCommandDoneAgain) {
  const auto [entry, word] = GetParam();
  const Stats plain = run(system);
  const Stats stats = run_with(entry);
  EXPECT_EQ(stats["inject.x.strikes"], 2U);
  EXPECT_EQ(stats["iommu.commands.held"], 2U);
  EXPECT_EQ(stats["iommu.commands.executed"], plain["iommu.commands.executed"]);
  EXPECT_EQ(stats.digest(), plain.digest());
  const Outcome outcome = call({"run", system, "--set", std::string("inject.x=") + entry});
  EXPECT_NE(outcome.err.find(std::string("command queue error: ") + word), std::string::npos) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CommandError,
    testing::Values(std::pair{"{kind: access_fault, target: command_queue, skip: 3, every: 2, count: 2}",
                              "memory fault"},
                    std::pair{"{kind: illegal_command, skip: 3, every: 2, count: 2}", "illegal command"}));

TEST_F(Injection, ARecordThatCannotBeWrittenIsLostAndTheQueueGoesOn) {
  const std::string trace =
      "0,00:03.0,R,0x20000000,64,\n100000,00:03.0,R,0x20000000,64,\n200000,00:03.0,R,0x20000000,64,\n";
  folder.write("t.csv", trace);
  const std::string faulting =
      folder.write("f.yaml", "devices: {d: {kind: replay, trace: t.csv, replay: {unmapped: fault, timing: trace}}}\n");
  const Stats stats = run(faulting, {"inject.x={kind: access_fault, target: fault_queue, count: 1}"});
  EXPECT_EQ(stats["iommu.faults.reported"], 3U);
  EXPECT_EQ(stats["iommu.faults.lost"], 1U);
  EXPECT_EQ(stats["software.fault_records"], 2U) << "the driver cleared fqmf";
}

TEST_F(Injection, AnInterruptMessageThatFailsIsReported) {
  folder.write("t.csv", "0,00:03.0,R,0x20000000,64,\n");
  const std::string faulting =
      folder.write("f.yaml", "devices: {d: {kind: replay, trace: t.csv, replay: {unmapped: fault}}}\n");
  const Stats stats = run(
      faulting, {"software.interrupts=messages", "inject.m={kind: access_fault, target: interrupt_message, count: 1}"});
  EXPECT_EQ(stats["inject.m.strikes"], 1U);
  EXPECT_EQ(stats["iommu.faults.cause_273"], 1U);
  EXPECT_EQ(stats["iommu.faults.recorded"], 2U);
}

TEST_F(Injection, AQueueThatStandsStillHoldsTheFence) {
  const Stats plain = run(system);
  const Stats stats = run_with("{kind: queue_stall, queue: command, skip: 2, count: 1, delay_ns: 40 us}");
  EXPECT_EQ(stats["inject.x.strikes"], 1U);
  EXPECT_GT(stats["run.simulated_ps"], plain["run.simulated_ps"] + 30'000'000);
  EXPECT_EQ(stats.digest(), plain.digest());
}

TEST_F(Injection, AnInvalidationThatIsGivenUpIsATimeOutToTheDriver) {
  const std::string entry = "inject.x={kind: ats_time_out, skip: 3, count: 1, delay_ns: 10}";
  const Outcome outcome = call({"run", example_system("demand-paging.yaml"), "--set", entry});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("command queue error: timeout"), std::string::npos) << outcome.err.substr(0, 2000);
  const Stats stats = run(example_system("demand-paging.yaml"), {entry});
  EXPECT_EQ(stats["inject.x.strikes"], 1U);
  EXPECT_EQ(stats["iommu.commands.held"], 1U) << "the fence";
  EXPECT_EQ(stats["run.transfers"], 5000U);
}

TEST_F(Injection, AStalledPageRequestQueueDelaysTheResponses) {
  const Stats plain = run(example_system("demand-paging.yaml"));
  const Stats stats = run(example_system("demand-paging.yaml"),
                          {"inject.x={kind: queue_stall, queue: page_request, every: 10, delay_ns: 20 us}"});
  EXPECT_GT(stats["inject.x.strikes"], 10U);
  EXPECT_GT(stats["run.workload_ps"], plain["run.workload_ps"]);
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
}

TEST_F(Injection, ALinkRetrySendsTheBytesTwice) {
  const Stats plain = run(system);
  const Stats stats = run_with("{kind: link_retry, port: d, every: 10, delay_ns: 500}");
  EXPECT_EQ(stats["inject.x.strikes"], 200U);
  EXPECT_EQ(stats["bus.d.retries"], 200U);
  EXPECT_EQ(stats["bus.d.bytes_up"], plain["bus.d.bytes_up"] + 200 * 24) << "a read is a header of 24 bytes";
  EXPECT_GT(stats["run.workload_ps"], plain["run.workload_ps"]);
  EXPECT_EQ(stats.digest(), plain.digest());
}

TEST_F(Injection, EveryStrikeIsALineOfTheLogAndTheSeedDecides) {
  const auto log = [&](const std::string& seed) {
    const std::string output = folder.path("out" + seed);
    EXPECT_EQ(call({"run", system, "--quiet", "--seed", seed, "-o", output, "--set",
                    "inject.x={kind: delay, target: dma, probability: 0.02, delay_ns: 100}"})
                  .exit,
              0);
    return read_file(output + "/injections.csv");
  };
  const std::string first = log("3");
  EXPECT_EQ(first.rfind("time_ps,name,kind,at,address,device\n", 0), 0U) << first;
  const auto lines = std::count(first.begin(), first.end(), '\n');
  EXPECT_GT(lines, 20);
  EXPECT_LT(lines, 80);
  EXPECT_NE(first.find(",x,delay,dma,0x80000"), std::string::npos) << first;
  EXPECT_EQ(log("3"), first);
  EXPECT_NE(log("4"), first);
}

TEST_F(Injection, WithoutAnyThereIsNoLogAndNoStatistic) {
  const std::string output = folder.path("out");
  EXPECT_EQ(call({"run", system, "--quiet", "-o", output}).exit, 0);
  EXPECT_FALSE(exists(output + "/injections.csv"));
  EXPECT_EQ(read_file(output + "/stats.json").find("\"inject\""), std::string::npos);
}

TEST_F(Injection, FunctionalModeHasThoseOfMemoryAndLinks) {
  const Stats stats = run_with("{kind: access_fault, target: first_stage, skip: 20, count: 2}",
                               {"iommu.mode=functional", "inject.p={kind: poison, target: dma, skip: 100, count: 3}",
                                "inject.l={kind: link_retry, count: 5}", "inject.c={kind: illegal_command, count: 1}"});
  EXPECT_EQ(stats["inject.x.strikes"], 2U);
  EXPECT_EQ(stats["run.failed_transfers"], 5U);
  EXPECT_EQ(stats["inject.l.strikes"], 5U);
  EXPECT_EQ(stats["inject.c.strikes"], 1U);
  EXPECT_EQ(stats["software.fault_records"], 2U);
}

TEST_F(Injection, WrongEntriesAreRefusedWithTheirPlace) {
  const std::string device = "devices: {d: {kind: uniform}}\n";
  const auto refused = [&](const std::string& text, const std::string& place, const std::string& words) {
    const std::string file = folder.write("bad.yaml", device + text);
    const Outcome outcome = call({"run", file});
    EXPECT_EQ(outcome.exit, 2) << text;
    EXPECT_EQ(outcome.err.rfind(file + ":" + place + ": ", 0), 0U) << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
  };
  refused("inject: {x: {kind: lightning}}\n", "2:20", "unknown choice 'lightning'");
  refused("inject: {x: {targte: ddt}}\n", "2:14", "did you mean 'target'?");
  refused("inject: {x: {probability: 2}}\n", "2:27", "expected 0..1");
  refused("inject: {x: {kind: delay}}\n", "2:13", "inject.x.delay_ns: is 0, expected how long");
  refused("inject: {x: {kind: queue_stall, delay_ns: 1, device: 5}}\n", "2:54", "expected none");
  refused("inject: {x: {kind: link_retry, port: e}}\n", "2:38", "there is no port 'e'; did you mean 'd'?");
  refused("inject: {x: {kind: ats_drop}}\niommu: {mode: functional}\n", "2:20", "needs the cycle model");
  refused("inject: [{kind: delay}]\n", "2:9", "expected");
}

}  // namespace
}  // namespace iommusim::system_test
