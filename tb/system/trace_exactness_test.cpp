// SPDX-License-Identifier: Apache-2.0
// The whole machine against numbers that were counted without it: the misses of a fully associative LRU TLB of 4 KiB
// entries on real traces. Rule U: an entry goes when its mapping goes; rule I: when the trace's own invalidation comes.
// scripts/check-traces does it for all traces.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "program.h"

namespace iommusim::system_test {
namespace {

const char* const kRuleU = R"(
devices: {d: {kind: replay, replay: {outstanding: 1}}}
software: {largest_page_bytes: 4096, flush_all_threshold_bytes: 0}
)";
const char* const kRuleI = R"(
devices: {d: {kind: replay, replay: {outstanding: 1, invalidations: recorded}}}
software: {stack: kernel, largest_page_bytes: 4096}
)";

class TraceExactness : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void compare(const char* system, const std::string& misses);
};

void TraceExactness::compare(const char* text, const std::string& misses) {
  const auto [trace, entries] = GetParam();
  const std::string folder = shared_traces();
  if (folder.empty()) GTEST_SKIP() << "no shared traces: set IOMMUSIM_SHARED";
  const std::string file = trace + ".csv.zst";
  std::ifstream facts_file(folder + "/facts.json");
  for (const auto& facts : nlohmann::json::parse(facts_file)) {
    if (facts.at("file") != file) continue;
    const Folder temporary;
    const std::string system = temporary.write("system.yaml", text);
    const Stats stats =
        run(system, {"devices.d.trace=" + folder + "/" + file, "iommu.engine.iotlb.entries=" + entries});
    EXPECT_EQ(stats["iommu.iotlb.misses"], facts.at(misses).at(entries).get<std::uint64_t>());
    EXPECT_EQ(stats["iommu.iotlb.lookups"], facts.at("accesses").get<std::uint64_t>());
    EXPECT_EQ(stats["run.failed_transfers"], 0U);
    EXPECT_EQ(stats["iommu.walks.started"], stats["iommu.iotlb.misses"]);  // one request at a time: no miss merges
    return;
  }
  FAIL() << file << " is not in facts.json";
}

TEST_P(TraceExactness, MissesAreThoseOfRuleU) { compare(kRuleU, "misses_U"); }
TEST_P(TraceExactness, MissesAreThoseOfRuleI) { compare(kRuleI, "misses_I"); }

INSTANTIATE_TEST_SUITE_P(Smallest, TraceExactness,
                         testing::Combine(testing::Values("nvme-huge-2m-prp.strict", "nvme-seq-128k.strict"),
                                          testing::Values("16", "64", "256", "1024")));

}  // namespace
}  // namespace iommusim::system_test
