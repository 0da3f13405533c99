// SPDX-License-Identifier: Apache-2.0
// ATS and page requests in whole systems, from the YAML file to the report: devices with an ATC under a program that
// maps on demand, refuses, or evicts; a queue that overflows; a device that does not answer.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

constexpr const char* kSystem = R"(
iommu: {implementation: {ats: true}}
software: {ats: true, buffer_digest: true}
devices:
  d:
    kind: paging
    uniform: {window_bytes: 512 KiB, request_bytes: 200, alignment: 8, count: 1500, read_percent: 0}
    window: {chunk_bytes: 4 KiB}
    atc: {present: true, page_request_retries: 1000}
)";

struct PagingSystem {
  Folder folder;
  std::string file = folder.write("s.yaml", kSystem);
};

TEST(DemandPaging, TheWindowEndsAsWithoutPaging) {
  const PagingSystem system;
  const Stats paged = run(system.file);
  const Stats mapped = run(system.file, {"devices.d.kind=uniform"});
  const Stats untranslated = run(system.file, {"devices.d.kind=uniform", "software.ats=false"});
  EXPECT_EQ(paged["run.failed_transfers"], 0U);
  EXPECT_EQ(paged.digest(), mapped.digest());
  EXPECT_EQ(paged.digest(), untranslated.digest());
  EXPECT_EQ(paged["d_pager.maps"], 128U);
  EXPECT_EQ(paged["d_pager.pages"], paged["d_atc.page_requests"]);
  EXPECT_EQ(paged["software.page_requests"], paged["d_atc.page_requests"]);
  EXPECT_EQ(paged["iommu.requests.faulted"], 0U);
  EXPECT_EQ(paged["iommu.faults.reported"], 0U) << "IOMMU 2.6: what a device may ask for again is no fault";
  EXPECT_EQ(mapped["d_atc.page_requests"], 0U);
  EXPECT_GT(mapped["d_atc.translated"], 0U);
  EXPECT_EQ(untranslated["d_atc.untranslated"], untranslated["d_atc.pieces"]) << "nobody switched it on";
}

TEST(DemandPaging, FunctionalModeDoesTheSame) {
  const PagingSystem system;
  const Stats cycle = run(system.file), functional = run(system.file, {"iommu.mode=functional"});
  EXPECT_EQ(cycle.digest(), functional.digest());
  EXPECT_EQ(functional["d_pager.maps"], 128U);
}

TEST(DemandPaging, MessagesAsInterruptsAndASlowHandler) {
  const PagingSystem system;
  const Stats stats = run(system.file, {"software.interrupts=messages", "software.cost.interrupt_ns=20us"});
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["d_pager.maps"], 128U);
}

TEST(DemandPaging, EvictionsMeetRequestsInFlight) {
  const PagingSystem system;
  std::uint64_t drained = 0, overtaken = 0;
  for (const char* const latency : {"10ns", "300ns", "2us"}) {
    const Stats stats =
        run(system.file, {"devices.d.paging.resident_bytes=64KiB", "devices.d.atc.page_requests=4",
                          "devices.d.uniform.window_bytes=256KiB", "devices.d.window.chunk_bytes=16KiB",
                          "devices.d.uniform.read_percent=60", std::string("bus.latency_up_ns=") + latency});
    EXPECT_EQ(stats["run.failed_transfers"], 0U);
    EXPECT_GT(stats["d_pager.evictions"], 100U);
    EXPECT_EQ(stats["d_atc.invalidations"], stats["d_atc.invalidations_completed"]);
    drained += stats["d_atc.drained"];
    overtaken += stats["d_atc.overtaken"];
  }
  EXPECT_GT(drained, 0U) << "invalidations waited for requests";
  EXPECT_GT(overtaken, 0U) << "completions were on their way";
}

TEST(DemandPaging, ARefusedPageEndsItsDmaWithAnError) {
  const PagingSystem system;
  const Stats stats = run(system.file, {"devices.d.paging.refuse_percent=30"});
  EXPECT_GT(stats["run.failed_transfers"], 0U);
  EXPECT_LT(stats["run.failed_transfers"], 1500U);
  EXPECT_GT(stats["d_atc.responses_invalid"], 0U);
  EXPECT_EQ(stats["d_pager.refusals"], stats["d_atc.responses_invalid"]);
  EXPECT_EQ(stats["run.transfers"], 1500U);
}

TEST(DemandPaging, AnOverflowOfTheQueueIsSurvived) {
  const PagingSystem system;
  const std::vector<std::string> burst = {"software.page_queue_log2=2", "software.cost.interrupt_ns=50us",
                                          "devices.d.atc.retry_ns=5us"};
  const Stats stats = run(system.file, burst);
  EXPECT_GT(stats["software.page_queue_overflows"], 0U);
  EXPECT_GT(stats["iommu.page_requests.responses"], 0U) << "the IOMMU itself answered what it could not queue";
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats.digest(), run(system.file).digest());
}

TEST(DemandPaging, ADeviceThatDoesNotAnswerLosesAtsAndTheRestGoesOn) {
  const PagingSystem system;
  const std::vector<std::string> broken = {"devices.d.atc.answer_invalidations=false", "iommu.ats_time_out_ns=20us",
                                           "devices.d.paging.resident_bytes=64KiB"};
  const Stats stats = run(system.file, broken);
  EXPECT_EQ(stats["software.ats_time_outs"], 3U) << "the first, and two more to be sure";
  EXPECT_EQ(stats["iommu_messages.time_outs"], 3U);
  EXPECT_EQ(stats["d_atc.invalidations_ignored"], 3U);
  EXPECT_EQ(stats["iommu.commands.held"], 3U) << "cmd_to, with the fence at the head";
  EXPECT_GT(stats["run.failed_transfers"], 0U);
  EXPECT_GT(stats["iommu.faults.cause_260"], 0U) << "its requests are refused";
  EXPECT_EQ(stats["run.transfers"], 1500U);
  std::vector<std::string> arguments = {"run", system.file};
  for (const std::string& set : broken) arguments.insert(arguments.end(), {"--set", set});
  EXPECT_NE(call(arguments).err.find("does not answer invalidations"), std::string::npos);
}

TEST(DemandPaging, EightCompletionMessagesCompleteOneInvalidation) {
  const PagingSystem system;
  const Stats stats =
      run(system.file, {"devices.d.paging.resident_bytes=256KiB", "devices.d.atc.completion_messages=8"});
  EXPECT_EQ(stats["iommu_messages.completions"], 8 * stats["d_atc.invalidations_completed"]);
  EXPECT_EQ(stats["iommu_messages.unexpected"], 0U);
  EXPECT_EQ(stats["software.ats_time_outs"], 0U);
}

TEST(DemandPaging, SameSeedSameBits) {
  const PagingSystem system;
  const std::vector<std::string> sets = {"devices.d.paging.resident_bytes=256KiB",
                                         "devices.d.atc.cache={entries: 16, ways: 4, policy: random}"};
  std::vector<std::string> arguments = {"run", system.file, "--json"};
  for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
  const Outcome first = call(arguments);
  EXPECT_EQ(first.exit, 0) << first.err;
  EXPECT_EQ(first.out, call(arguments).out);
}

TEST(DemandPaging, ATraceReplaysThroughAnAtcWithTheSameResults) {
  const std::string file = example_system("nvme-replay.yaml");
  const std::vector<std::string> few = {"software.buffer_digest=true", "devices.nvme0.replay.max_events=2000"};
  std::vector<std::string> with_atc = few;
  with_atc.insert(with_atc.end(),
                  {"iommu.implementation.ats=true", "software.ats=true", "devices.nvme0.atc.present=true"});
  const Stats plain = run(file, few), cached = run(file, with_atc);
  EXPECT_EQ(plain.digest(), cached.digest());
  EXPECT_GT(cached["iommu_messages.invalidations"], 0U);
}

TEST(DemandPaging, WhatItNeedsIsAskedForByName) {
  const PagingSystem system;
  for (const auto& [set, text] :
       {std::pair<const char*, const char*>{"devices.d.atc.present=false", "devices.d.atc.present"},
        {"software.ats=false", "software.ats"},
        {"iommu.implementation.ats=false", "software.ats"},
        {"devices.d.paging.resident_bytes=1KiB", "devices.d.paging.resident_bytes"},
        {"devices.d.atc.page_requests=0", "devices.d.atc.page_requests"}}) {
    const Outcome outcome = call({"run", system.file, "--set", set});
    EXPECT_EQ(outcome.exit, 2) << set;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("expected"), std::string::npos) << outcome.err;
  }
}

TEST(DemandPaging, TheExample) {
  const Stats stats = run(example_system("demand-paging.yaml"));
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_GT(stats["accelerator_pager.evictions"], 0U);
}

}  // namespace
}  // namespace iommusim::system_test
