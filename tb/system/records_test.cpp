// SPDX-License-Identifier: Apache-2.0
// The records of a run agree with its statistics, and recording changes nothing; files that cannot be are refused.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "program.h"

namespace iommusim::system_test {
namespace {

/// A table of a database as rows of columns by name.
std::vector<std::map<std::string, std::string>> table(const std::string& database, const std::string& name) {
  const Outcome outcome = call({"export", database, "--table", name});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::vector<std::string> heading;
  std::vector<std::map<std::string, std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line + ",");
    std::vector<std::string> values;
    for (std::string field; std::getline(fields, field, ',');) values.push_back(field);
    if (heading.empty()) {
      heading = values;
      continue;
    }
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < heading.size(); ++i) row[heading[i]] = values.at(i);
  }
  return rows;
}

constexpr const char* kFaulting = R"(
devices: {g: {kind: uniform, uniform: {count: 3000, window_bytes: 1 MiB}}}
software: {largest_page_bytes: 4096}
inject: {walk: {kind: access_fault, target: first_stage, skip: 100, count: 3}}
)";

std::string system_of(const std::string& name, const Folder& folder) {
  if (name == "faulting") return folder.write("system.yaml", kFaulting);
  return folder.write("system.yaml", "devices: {d: {kind: replay, trace: " + sample(name) + "}}\n");
}

class Records : public testing::TestWithParam<const char*> {};

TEST_P(Records, AgreeWithTheStatisticsAndChangeNothing) {
  const Folder folder;
  const std::string system = system_of(GetParam(), folder);
  const std::string database = folder.path("records.db");
  const Outcome recorded = call({"run", system, "--json", "--db", database, "--record-text", folder.path("r.txt"),
                                 "--record-jsonl", folder.path("r.jsonl")});
  ASSERT_EQ(recorded.exit, 0) << recorded.err;
  EXPECT_TRUE(recorded.out == call({"run", system, "--json"}).out);
  EXPECT_FALSE(exists(database + ".part"));

  const Stats stats(recorded.out);
  const auto rows = table(database, "translation");
  ASSERT_EQ(rows.size(), stats["iommu.requests.completed"] + stats["iommu.requests.faulted"]);
  std::map<std::string, std::uint64_t> found, outcome;
  std::uint64_t latency_ps = 0, reads = 0;
  for (const auto& row : rows) {
    ++found[row.at("found")];
    ++outcome[row.at("outcome")];
    latency_ps += std::stoull(row.at("latency_ps"));
    reads += std::stoull(row.at("reads"));
    ASSERT_LE(std::stoull(row.at("accepted_ps")), std::stoull(row.at("picked_ps")));
    ASSERT_LE(std::stoull(row.at("done_ps")), std::stoull(row.at("answered_ps")));
    ASSERT_EQ(row.at("cause").empty(), row.at("outcome") == "completed");
  }
  EXPECT_EQ(latency_ps, stats["iommu.requests.latency.sum"] * 1000);  // the clock of the default is 1 GHz
  EXPECT_EQ(outcome["completed"], stats["iommu.requests.completed"]);
  EXPECT_EQ(outcome["faulted"], stats["iommu.requests.faulted"]);
  EXPECT_EQ(found["hit"], stats["iommu.iotlb.hits"]);
  EXPECT_EQ(found["walk"], stats["iommu.iotlb.miss_walks"]);
  EXPECT_EQ(found["merged"], stats["iommu.iotlb.miss_merged"]);
  EXPECT_EQ(found["look_again"], stats["iommu.iotlb.miss_look_again_hits"]);
  EXPECT_EQ(reads, stats["iommu.walks.reads.sum"] + stats["iommu.directory_walks.reads.sum"]);
  EXPECT_EQ(table(database, "command").size(), stats["iommu.commands.executed"] + stats["iommu.commands.held"]);
  EXPECT_EQ(table(database, "fault").size(), stats["iommu.faults.reported"]);
  EXPECT_FALSE(table(database, "register_access").empty());
  EXPECT_NE(read_file(folder.path("r.txt")).find("# end of run"), std::string::npos);
  EXPECT_NE(read_file(folder.path("r.jsonl")).find("\"reason\":\"end\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, Records, testing::Values("nvme-randread-4k.strict", "mixed-nvme-nic.strict", "faulting"));

TEST(RecordFiles, OfAWindowAndASample) {
  const Folder folder;
  const std::string system = system_of("faulting", folder);
  ASSERT_EQ(call({"run", system, "--quiet", "--db", folder.path("all.db")}).exit, 0);
  const std::vector<std::string> some{"run",
                                      system,
                                      "--quiet",
                                      "--db",
                                      folder.path("some.db"),
                                      "--record-from-ns",
                                      "9000",
                                      "--record-to-ns",
                                      "20000",
                                      "--record-sample",
                                      "3"};
  ASSERT_EQ(call(some).exit, 0);
  std::size_t inside = 0;
  for (const auto& row : table(folder.path("all.db"), "translation"))
    if (const auto at = std::stoull(row.at("accepted_ps")); at >= 9'000'000 && at < 20'000'000) ++inside;
  EXPECT_GT(inside, 100U);
  EXPECT_EQ(table(folder.path("some.db"), "translation").size(), (inside + 2) / 3);
}

TEST(RecordFiles, ThatCannotBeAreBadInput) {
  const Folder folder;
  const std::string system = system_of("faulting", folder);
  const std::string mine = folder.write("mine.db", "mine");
  const Outcome exists_already = call({"run", system, "--db", mine});
  EXPECT_EQ(exists_already.exit, 2);
  EXPECT_NE(exists_already.err.find("exists already"), std::string::npos) << exists_already.err;
  EXPECT_EQ(read_file(mine), "mine");
  EXPECT_EQ(call({"run", system, "--db", folder.path("no/folder.db")}).exit, 2);
  // What is wrong with another sink, or the run, leaves no database either.
  const std::string database = folder.path("new.db");
  EXPECT_EQ(call({"run", system, "--db", database, "--record-text", folder.path("no/r.txt")}).exit, 2);
  EXPECT_EQ(call({"run", system, "--db", database, "--set", "iommu.mode=functional"}).exit, 2);
  EXPECT_EQ(call({"run", system, "--db", database, "--set", "devices.g.kind=replay"}).exit, 2);
  EXPECT_FALSE(exists(database) || exists(database + ".part"));
  EXPECT_EQ(call({"export", database}).exit, 2);
  EXPECT_EQ(call({"export", mine}).exit, 2);
}

}  // namespace
}  // namespace iommusim::system_test
