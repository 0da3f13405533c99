// SPDX-License-Identifier: Apache-2.0
// A cut holds the events of its window, on top of the mappings that were live there, and is as sound as its original.
#include "traces/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "trace_fixture.h"
#include "traces/summary.h"
#include "traces/writer.h"

namespace iommusim::traces {
namespace {

std::string text_of(const std::vector<Event>& events) {
  std::string text;
  char line[kMaxEventText];
  for (const Event& event : events) text.append(line, format_event(event, line));
  return text;
}

/// A trace without contradictions: two sources with four slots each, a slot being mapped, accessed, unmapped.
std::vector<Event> sound_trace() {
  std::map<std::pair<int, int>, Event> live;
  std::vector<Event> events;
  std::uint64_t time = 0;
  const int count = *rc::gen::inRange(1, 60);
  for (int i = 0; i < count; ++i) {
    time += *rc::gen::element<std::uint64_t>(0, 0, 1, 10);
    const int source = *rc::gen::inRange(0, 2);
    const int slot = *rc::gen::inRange(0, 4);
    Event event;
    event.time_ns = time;
    event.source.bdf = static_cast<std::uint16_t>(0x18 + source);
    event.iova = static_cast<std::uint64_t>(slot) * 0x10000;
    event.bytes = 4096 * *rc::gen::inRange<std::uint64_t>(1, 4);
    const auto found = live.find({source, slot});
    if (found == live.end()) {
      event.op = Op::kMap;
      event.pa = 4096 * *rc::gen::inRange<std::uint64_t>(1, 1000);
      event.has_pa = true;
      live[{source, slot}] = event;
    } else if (*rc::gen::inRange(0, 3) == 0) {
      event.op = Op::kUnmap;
      event.bytes = found->second.bytes;
      live.erase(found);
    } else {
      event.op = Op::kWrite;
      event.bytes = found->second.bytes;
      event.pa = found->second.pa;
      event.has_pa = true;
    }
    events.push_back(event);
  }
  return events;
}

/// What a cut must be, event by event, told without page maps.
std::vector<Event> expected_cut(const std::vector<Event>& events, const ConvertOptions& options) {
  std::vector<Event> live;
  std::vector<Event> window;
  for (Event event : events) {
    if (!options.sources.empty() && event.source != options.sources[0]) continue;
    if (event.time_ns >= options.to_ns || window.size() == options.events) break;
    const bool snapshot = window.empty() && event.op == Op::kMap && event.time_ns == 0;
    if (!snapshot && event.time_ns >= options.from_ns) {
      event.time_ns -= options.from_ns;
      window.push_back(event);
    } else if (event.op == Op::kMap) {
      event.time_ns = 0;
      live.push_back(event);
    } else if (event.op == Op::kUnmap) {
      live.erase(std::remove_if(live.begin(), live.end(),
                                [&](const Event& m) { return m.source == event.source && m.iova == event.iova; }),
                 live.end());
    }
  }
  if (window.empty() && options.from_ns > 0) return {};
  live.insert(live.end(), window.begin(), window.end());
  return live;
}

RC_GTEST_PROP(ConvertLaw, CutIsLiveMappingsThenWindow, ()) {
  static const TemporaryFolder folder;
  const std::vector<Event> events = sound_trace();
  ConvertOptions options;
  options.from_ns = *rc::gen::element<std::uint64_t>(0, 1, 10, 50);
  options.to_ns = *rc::gen::arbitrary<bool>() ? options.from_ns + 30 : std::uint64_t{ConvertOptions::kAll};
  options.events = *rc::gen::element(std::uint64_t{ConvertOptions::kAll}, std::uint64_t{1}, std::uint64_t{7});
  if (*rc::gen::arbitrary<bool>()) options.sources = {Source{0, 0x18}};
  options.level = 1;
  const std::string in = folder.store("in.csv", text_of(events));
  const std::string out = folder / "out.csv.zst";
  const std::vector<Event> expected = expected_cut(events, options);
  if (expected.empty()) {
    RC_ASSERT_THROWS_AS(convert(in, out, options), base::InputError);
    return;
  }
  const ConvertResult result = convert(in, out, options);
  RC_ASSERT(read_path(out) == expected);
  RC_ASSERT(result.snapshot_maps + result.events == expected.size());
  const Summary summary = summarize(out);
  RC_ASSERT(summary.unmapped_accesses + summary.wrong_pa_accesses + summary.unmapped_unmapped + summary.mapped_over ==
            0U);
}

RC_GTEST_PROP(ConvertLaw, WithoutACutEventsStay, ()) {
  static const TemporaryFolder folder;
  const std::vector<Event> events = sound_trace();
  const std::string in = folder.store("in.csv", "# iommusim-trace 1\n# note\n" + text_of(events));
  convert(in, folder / "out.csv.zst");
  convert(folder / "out.csv.zst", folder / "back.csv");
  RC_ASSERT(slurp(folder / "back.csv") == slurp(in));
}

TEST(Convert, HeadTellsTheCutAndKeepsTheOriginal) {
  const TemporaryFolder folder;
  const std::string in =
      folder.store("nic\xc3\xa9.csv", "# captured somewhere\n5,00:03.0,W,0x1000,1,\n9,00:03.0,W,0x1000,1,\n");
  ConvertOptions options;
  options.from_ns = 6;
  options.to_ns = 100;
  options.events = 50;
  options.sources = {Source{0, 0x18}, Source{0, 0x20}};
  convert(in, folder / "out.csv", options);
  EXPECT_EQ(slurp(folder / "out.csv"),
            "# iommusim-trace 1\n"
            "# cut from nic??.csv: 6 ns to 100 ns, at most 50 events, sources 00:03.0 00:04.0; times count from the "
            "cut; the first 0 M lines, at time 0, are the mappings live at the cut; head of the original:\n"
            "# captured somewhere\n"
            "3,00:03.0,W,0x1000,1,\n");
}

TEST(Convert, PartlyUnmappedMappingKeepsItsRest) {
  const TemporaryFolder folder;
  const std::string in =
      folder.store("in", "0,00:03.0,M,0x1000,12288,0x7000\n1,00:03.0,U,0x2000,4096,\n5,00:03.0,W,0x3000,1,0x9000\n");
  ConvertOptions options;
  options.from_ns = 5;
  convert(in, folder / "out", options);
  EXPECT_THAT(slurp(folder / "out"),
              testing::EndsWith("0,00:03.0,M,0x1000,4096,0x7000\n0,00:03.0,M,0x3000,4096,0x9000\n"
                                "0,00:03.0,W,0x3000,1,0x9000\n"));
}

TEST(Convert, EmptyCutLeavesNothing) {
  const TemporaryFolder folder;
  const std::string in = folder.store("in", "0,00:03.0,M,0x1000,4096,0x7000\n1,00:03.0,W,0x1000,1,\n");
  ConvertOptions late;
  late.from_ns = 2;
  ConvertOptions foreign;
  foreign.sources = {Source{0, 0x99}};
  for (const ConvertOptions& options : {late, foreign})
    EXPECT_EQ(error_of([&] { convert(in, folder / "out", options); }),
              in + ": no event in the chosen window and sources, expected at least one");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(Convert, BadInputLeavesNothing) {
  const TemporaryFolder folder;
  const std::string in = folder.store("in", "0,00:03.0,W,0x1000,1,\nbad\n");
  EXPECT_EQ(error_of([&] { convert(in, folder / "out"); }),
            in + ":2:4: 1 column, expected 6: time_ns,source,op,iova,bytes,pa");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(Convert, MayReplaceItsInput) {
  const TemporaryFolder folder;
  const std::string path = folder.store("t.csv", "5,00:03.0,W,0x1000,1,\n7,00:03.0,W,0x1000,1,\n");
  ConvertOptions options;
  options.events = 1;
  convert(path, path, options);
  EXPECT_EQ(read_path(path).size(), 1U);
}

}  // namespace
}  // namespace iommusim::traces
