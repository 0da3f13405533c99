// SPDX-License-Identifier: Apache-2.0
// Each figure of a summary on a trace made for it, and all of them against the independent facts of the two smallest
// captured traces.
#include "traces/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "trace_fixture.h"

namespace iommusim::traces {
namespace {

Summary summary_of(const std::string& text) {
  Reader reader("t", open_memory(text));
  return summarize(reader);
}

TEST(Summary, CountsEventsBytesAndPages) {
  const Summary s = summary_of(
      "0,00:03.0,M,0x1000,8192,0x7000\n"
      "10,00:03.0,R,0x1ff0,32,0x7ff0\n"  // two pages
      "10,00:03.0,W,0x1000,4,0x7000\n"
      "20,00:04.0,M,0x1000,4096,0x9000\n"
      "20,00:04.0,X,0x1000,8,\n"  // the same IOVA of another source is another page
      "30,00:03.0,U,0x1000,8192,\n"
      "40,00:03.0,I,0x1000,8192,\n"
      "50,00:04.0,I,0x0,0,\n");
  EXPECT_EQ(s.events, 8U);
  EXPECT_EQ(s.counts.events, (std::array<std::uint64_t, kOps>{1, 1, 1, 2, 1, 2}));
  EXPECT_EQ(s.counts.bytes, (std::array<std::uint64_t, kOps>{32, 4, 8, 12288, 8192, 8192}));
  EXPECT_EQ(s.first_time_ns, 0U);
  EXPECT_EQ(s.last_time_ns, 50U);
  EXPECT_EQ(s.page_accesses, 4U);
  EXPECT_EQ(s.page_spanning_events, 1U);
  EXPECT_EQ(s.distinct_pages, 3U);
  EXPECT_EQ(s.domain_invalidations, 1U);
  EXPECT_EQ(s.snapshot_maps, 1U);
  EXPECT_EQ(s.superpage_maps, 0U);
  EXPECT_EQ(s.max_live_pages, 3U);
  EXPECT_EQ(s.live_pages_at_end, 1U);
  EXPECT_EQ(s.max_stale_pages, 2U);
  EXPECT_EQ(s.unmapped_accesses + s.wrong_pa_accesses + s.mapped_over + s.unmapped_unmapped + s.remapped_stale, 0U);
  ASSERT_EQ(s.sources.size(), 2U);
  EXPECT_EQ(s.sources[0].source, (Source{0, 0x18}));
  EXPECT_EQ(s.sources[0].distinct_pages, 2U);
  EXPECT_EQ(s.sources[1].distinct_pages, 1U);
  EXPECT_EQ(s.sources[1].counts.events_of(Op::kAccess), 1U);
}

TEST(Summary, FindsContradictions) {
  const Summary s = summary_of(
      "0,00:03.0,M,0x1000,8192,0x7000\n"
      "1,00:03.0,R,0x2000,8192,0x8000\n"  // second page: not mapped
      "1,00:04.0,R,0x1000,1,\n"           // mapped for another source only
      "2,00:03.0,W,0x1000,8192,0x6000\n"  // two pages with another pa
      "3,00:03.0,M,0x2000,8192,0x9000\n"  // one page over a mapped one
      "4,00:03.0,U,0x1000,16384,\n"       // one page of four is not mapped
      "5,00:03.0,M,0x1000,4096,0x7000\n"  // before its invalidation
      "6,00:03.0,I,0x0,0,\n"
      "7,00:03.0,M,0x2000,4096,0x7000\n");
  EXPECT_EQ(s.unmapped_accesses, 2U);
  EXPECT_EQ(s.wrong_pa_accesses, 2U);
  EXPECT_EQ(s.mapped_over, 1U);
  EXPECT_EQ(s.unmapped_unmapped, 1U);
  EXPECT_EQ(s.remapped_stale, 1U);
  EXPECT_EQ(s.max_stale_pages, 4U);
}

TEST(Summary, SuperpagesNeedAllThreeAligned) {
  const auto superpages = [](const std::string& map) { return summary_of("1,00:03.0,M," + map + "\n").superpage_maps; };
  EXPECT_EQ(superpages("0x200000,2097152,0x400000"), 1U);
  EXPECT_EQ(superpages("0x200000,4194304,0x0"), 1U);
  EXPECT_EQ(superpages("0x200000,2097152,0x401000"), 0U);
  EXPECT_EQ(superpages("0x201000,2097152,0x400000"), 0U);
  EXPECT_EQ(superpages("0x200000,2101248,0x400000"), 0U);
}

TEST(Summary, HugeRangesCostNoMemory) {
  const Summary s = summary_of(
      "1,00:03.0,M,0x0,18446744073709547520,0x0\n"
      "1,00:03.0,R,0x0,18446744073709547520,0x0\n");
  EXPECT_EQ(s.distinct_pages, (1ULL << 52) - 1);
  EXPECT_EQ(s.unmapped_accesses, 0U);
}

TEST(Summary, TextAndJsonTellTheSame) {
  const Summary s = summary_of("7,00:03.0,M,0x1000,4096,0x7000\n9,00:03.0,W,0x1000,5,\n");
  const auto json = nlohmann::json::parse(to_json(s));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["file"], "t");
  EXPECT_EQ(json["events"], 2);
  EXPECT_EQ(json["ops"]["W"]["bytes"], 5);
  EXPECT_EQ(json["ops"]["R"]["events"], 0);
  EXPECT_EQ(json["last_time_ns"], 9);
  EXPECT_EQ(json["sources"]["00:03.0"]["distinct_pages"], 1);
  const std::string text = to_text(s);
  EXPECT_THAT(text, testing::HasSubstr("t: 2 events in 0.000000 s\n"));
  EXPECT_THAT(text, testing::ContainsRegex("W writes +1 events +5 bytes"));
  EXPECT_THAT(text, testing::ContainsRegex("distinct 4 KiB pages accessed +1\n"));
}

std::string captured_traces() {
  const char* shared = std::getenv("IOMMUSIM_SHARED");
  return (shared != nullptr ? std::string(shared) : IOMMUSIM_SOURCE_DIR "/../shared") + "/traces/";
}

class CapturedTrace : public testing::TestWithParam<const char*> {};

TEST_P(CapturedTrace, SummaryEqualsTheIndependentFacts) {
  const std::string name = std::string(GetParam()) + ".csv.zst";
  const std::string path = captured_traces() + name;
  const std::string facts_path = captured_traces() + "facts.json";
  if (!std::filesystem::exists(path) || !std::filesystem::exists(facts_path)) GTEST_SKIP() << path << " is not there";
  nlohmann::json facts;
  for (const auto& row : nlohmann::json::parse(slurp(facts_path)))
    if (row["file"] == name) facts = row;
  ASSERT_FALSE(facts.is_null());
  const Summary s = summarize(path);
  EXPECT_EQ(s.events, facts["events"]);
  for (unsigned op = 0; op < kOps; ++op) EXPECT_EQ(s.counts.events[op], facts[std::string(1, kOpLetters[op])]);
  EXPECT_EQ(s.counts.bytes_of(Op::kRead), facts["read_bytes"]);
  EXPECT_EQ(s.counts.bytes_of(Op::kWrite), facts["written_bytes"]);
  EXPECT_EQ(s.counts.bytes_of(Op::kMap), facts["mapped_bytes"]);
  EXPECT_EQ(s.counts.bytes_of(Op::kUnmap), facts["unmapped_bytes"]);
  EXPECT_EQ(s.page_accesses, facts["accesses"]);
  EXPECT_EQ(s.page_spanning_events, facts["page_spanning_events"]);
  EXPECT_EQ(s.distinct_pages, facts["distinct_pages"]);
  EXPECT_EQ(s.superpage_maps, facts["superpage_maps"]);
  EXPECT_EQ(s.snapshot_maps, facts["m_at_time_0"]);
  EXPECT_EQ(s.max_live_pages, facts["max_live_pages"]);
  EXPECT_EQ(s.live_pages_at_end, facts["live_pages_at_end"]);
  EXPECT_EQ(s.last_time_ns, facts["duration_ns"]);
  EXPECT_EQ(s.unmapped_accesses + s.wrong_pa_accesses, facts["violations"]);
  EXPECT_EQ(s.remapped_stale, facts["remapped_before_invalidation"]);
  EXPECT_EQ(s.max_stale_pages, facts["max_pages_unmapped_not_yet_invalidated"]);
  EXPECT_EQ(s.mapped_over, facts["map_over_mapped"]);
  EXPECT_EQ(s.unmapped_unmapped, facts["unmap_of_unmapped"]);
  for (const SourceSummary& source : s.sources) {
    std::uint64_t accesses = 0;
    for (const Op op : {Op::kRead, Op::kWrite, Op::kAccess}) accesses += source.counts.events_of(op);
    EXPECT_EQ(accesses, facts["sources"][to_string(source.source)]);
  }
}
INSTANTIATE_TEST_SUITE_P(TwoSmallest, CapturedTrace,
                         testing::Values("nvme-huge-2m-prp.strict", "nvme-seq-128k.strict"));

}  // namespace
}  // namespace iommusim::traces
