// SPDX-License-Identifier: Apache-2.0
// Writing and reading are inverse; nothing half-written stays; truncated files are refused where they end.
#include "traces/writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "trace_fixture.h"

namespace iommusim::traces {
namespace {

Event simple_event(std::uint64_t time_ns) {
  Event event;
  event.time_ns = time_ns;
  event.source = {0, 0x18};
  event.iova = 0x1000 + time_ns;
  event.bytes = 4;
  return event;
}

std::string write_simple(const std::string& path, std::uint64_t events) {
  Writer writer(path, {3, {" provenance"}});
  for (std::uint64_t i = 0; i < events; ++i) writer.write(simple_event(i * i));
  writer.finish();
  return path;
}

RC_GTEST_PROP(WriterLaw, WhatIsWrittenReadsBack, ()) {
  static const TemporaryFolder folder;
  const std::vector<Event> events = random_events(1);
  const std::string path = folder / (*rc::gen::arbitrary<bool>() ? "t.csv.zst" : "t.csv");
  Writer writer(path, {1, {" a", ""}});
  for (const Event& event : events) writer.write(event);
  writer.finish();
  Reader reader(path);
  RC_ASSERT(reader.head() == (std::vector<std::string>{" iommusim-trace 1", " a", ""}));
  RC_ASSERT(read_all(std::move(reader)) == events);
}

RC_GTEST_PROP(WriterLaw, TextIsAFixedPoint, ()) {
  std::string text;
  char line[kMaxEventText];
  for (const Event& event : random_events(1)) text.append(line, format_event(event, line));
  std::string again;
  for (const Event& event : read_text(text)) again.append(line, format_event(event, line));
  RC_ASSERT(again == text);
}

TEST(Writer, LongestEventFits) {
  Event event;
  event.time_ns = event.bytes = event.iova = event.pa = ~0ULL;
  event.source = {0xffff, 0xffff};
  event.has_pa = true;
  char line[kMaxEventText];
  EXPECT_LE(format_event(event, line) - line, static_cast<std::ptrdiff_t>(kMaxEventText));
}

TEST(Writer, CompressesByName) {
  const TemporaryFolder folder;
  EXPECT_EQ(slurp(write_simple(folder / "t.csv", 2)),
            "# iommusim-trace 1\n# provenance\n0,00:03.0,R,0x1000,4,\n1,00:03.0,R,0x1001,4,\n");
  EXPECT_EQ(slurp(write_simple(folder / "t.zst", 2)).substr(0, 4), "\x28\xb5\x2f\xfd");
  EXPECT_THAT(error_of([&] { write_simple(folder / "t.gz", 2); }), testing::HasSubstr("gzip is read but not written"));
}

TEST(Writer, TargetAppearsWithFinishOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.store("t.csv", "old");
  {
    Writer writer(path);
    writer.write(simple_event(1));
    EXPECT_EQ(folder.files(), 2U);
  }
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_EQ(slurp(path), "old");
  write_simple(path, 1);
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_NE(slurp(path), "old");
}

TEST(Writer, TellsWhyItCannotWrite) {
  const TemporaryFolder folder;
  const std::string path = folder / "missing/t.csv";
  EXPECT_EQ(error_of([&] { Writer writer(path); }), path + ": cannot create: No such file or directory");
  const std::string taken = folder / "taken";
  std::filesystem::create_directory(taken);
  EXPECT_EQ(error_of([&] { write_simple(taken, 1); }), taken + ": cannot write: Is a directory");
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_THAT(error_of([&] {
                Writer writer(folder / "t", {3, {std::string(5000, 'x')}});
              }),
              testing::HasSubstr("the comments are too long"));
}

TEST(Writer, RefusesToBreakTheFormat) {
  const TemporaryFolder folder;
  Writer writer(folder / "t");
  EXPECT_THROW(writer.finish(), base::Contradiction);
  writer.write(simple_event(5));
  EXPECT_THROW(writer.write(simple_event(4)), base::Contradiction);
  Event unaligned = simple_event(5);
  unaligned.op = Op::kUnmap;
  EXPECT_THROW(writer.write(unaligned), base::Contradiction);
  EXPECT_THROW(Writer(folder / "u", {3, {"two\nlines"}}), base::Contradiction);
}

TEST(Writer, TruncatedFileIsRefusedAtItsEnd) {
  const TemporaryFolder folder;
  const std::string whole = slurp(write_simple(folder / "t.zst", 100000));
  const std::string path = folder.store("cut.zst", whole.substr(0, whole.size() - 1));
  Reader reader(path);
  Event event;
  std::uint64_t events = 0;
  const std::string error = error_of([&] {
    while (reader.next(event)) ++events;
  });
  EXPECT_EQ(error, path + ":100003:1: truncated zstd frame, expected more compressed data");
  EXPECT_EQ(events, 100000U);  // only the checksum is missing
  const std::string half = folder.store("half.zst", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(error_of([&] { read_path(half); }),
              testing::MatchesRegex(".*half.zst:[0-9]+:[0-9]+: truncated zstd frame, expected more compressed data"));
}

}  // namespace
}  // namespace iommusim::traces
