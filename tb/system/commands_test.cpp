// SPDX-License-Identifier: Apache-2.0
// The commands beside `run`: lists of parameters in every format, and traces looked at and converted.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "program.h"

namespace iommusim::system_test {
namespace {

std::string output_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = call(arguments);
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return outcome.out;
}

TEST(Params, EveryFormatListsEveryParameter) {
  const auto list = nlohmann::json::parse(output_of({"params", "--format", "json"}));
  EXPECT_EQ(list, nlohmann::json::parse(output_of({"params", "--json"})));
  const std::string text = output_of({"params"});
  const std::string markdown = output_of({"params", "--format", "markdown"});
  ASSERT_GT(list.size(), 100U);
  for (const auto& row : list) {
    const std::string path = row.at("path");
    EXPECT_NE(text.find(path + " "), std::string::npos) << path;
    EXPECT_NE(markdown.find("`" + path + "`"), std::string::npos) << path;
  }
  const auto schema = nlohmann::json::parse(output_of({"params", "--format", "schema"}));
  EXPECT_TRUE(schema.at("properties").at("iommu").at("properties").at("engine").at("properties").contains("iotlb"));
}

TEST(Params, TheYamlOfDefaultsIsASystemFile) {
  const Folder folder;
  const std::string system = folder.write("defaults.yaml", output_of({"params", "--format", "yaml"}));
  const Stats stats = run(system, {"devices.g.kind=uniform", "devices.g.uniform.count=100"});
  EXPECT_EQ(stats["run.transfers"], 100U);
}

/// Lines of events, without those of comments.
std::string events_of(const std::string& path) {
  std::istringstream in(read_file(path));
  std::string events;
  for (std::string line; std::getline(in, line);)
    if (line.rfind('#', 0) != 0) events += line + '\n';
  return events;
}

TEST(Trace, ConvertsThereAndBack) {
  const Folder folder;
  const std::string original = sample("mixed-nvme-nic.strict");
  const std::string text = folder.path("a.csv"), packed = folder.path("b.csv.zst"), again = folder.path("c.csv");
  output_of({"trace", "convert", original, text});
  output_of({"trace", "convert", text, packed, "--level", "3"});
  output_of({"trace", "convert", packed, again});
  EXPECT_FALSE(events_of(text).empty());
  EXPECT_TRUE(events_of(text) == events_of(again));
  EXPECT_LT(read_file(packed).size(), read_file(text).size() / 2);

  auto info = nlohmann::json::parse(output_of({"trace", "info", "--json", original}));
  auto info_again = nlohmann::json::parse(output_of({"trace", "info", "--json", again}));
  info.erase("file");
  info_again.erase("file");
  EXPECT_EQ(info, info_again);
  EXPECT_EQ(info.at("events"), 7788);
}

TEST(Trace, ACutRunsOnItsOwn) {
  const Folder folder;
  const std::string cut = folder.path("cut.csv.zst");
  output_of({"trace", "convert", sample("mixed-nvme-nic.strict"), cut, "--source", "00:04.0", "--from-ns", "100000000",
             "--events", "500"});
  const std::string text = output_of({"trace", "info", cut});
  EXPECT_NE(text.find("source 00:04.0"), std::string::npos);
  EXPECT_EQ(text.find("source 00:03.0"), std::string::npos);
  const Stats stats = run(folder.write("s.yaml", "devices: {d: {kind: replay, trace: cut.csv.zst}}"));
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_GT(stats["run.transfers"], 100U);
}

TEST(Trace, ADamagedOneIsRefusedWithItsPlace) {
  const Folder folder;
  const std::string bad = folder.write("bad.csv", "0,00:03.0,M,0x1000,4096,0x1000\n1,00:03.0,R,4096,4,\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"trace", "info", bad}, {"trace", "convert", bad, folder.path("out.csv")}}) {
    const Outcome outcome = call(arguments);
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_EQ(outcome.err.rfind(bad + ":2:13: ", 0), 0U) << outcome.err;
  }
  EXPECT_FALSE(exists(folder.path("out.csv")));
}

}  // namespace
}  // namespace iommusim::system_test
