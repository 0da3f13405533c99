// SPDX-License-Identifier: Apache-2.0
// What the reader accepts, and each way to be refused, with its exact line and column.
#include "traces/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace_fixture.h"

namespace iommusim::traces {
namespace {

constexpr char kGood[] = "5,00:03.0,R,0x1008,64,0x7008\n";

std::string refusal_of(const std::string& text) {
  return error_of([&] { read_text(text); });
}

TEST(Reader, DeliversAllFields) {
  const auto events = read_text("# note\n5,00:03.0,R,0x1008,64,0x7008\n5,0001:c0:1f.7,I,0x0,0,\n");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].time_ns, 5U);
  EXPECT_EQ(events[0].source, (Source{0, 0x18}));
  EXPECT_EQ(events[0].op, Op::kRead);
  EXPECT_EQ(events[0].iova, 0x1008U);
  EXPECT_EQ(events[0].bytes, 64U);
  EXPECT_TRUE(events[0].has_pa);
  EXPECT_EQ(events[0].pa, 0x7008U);
  EXPECT_EQ(events[0].line, 2U);
  EXPECT_EQ(events[1].source, (Source{1, 0xc0ff}));
  EXPECT_EQ(events[1].op, Op::kInvalidate);
  EXPECT_FALSE(events[1].has_pa);
  EXPECT_EQ(events[1].line, 3U);
}

TEST(Reader, AcceptsWhatTheFormatLeavesOpen) {
  EXPECT_EQ(read_text("5,00:03.0,R,0x1008,64,0x7008").size(), 1U);       // no line feed at the end
  EXPECT_EQ(read_text("# a\r\n5,00:03.0,W,0x1008,64,\r\n").size(), 1U);  // CR LF
  EXPECT_EQ(read_text("5,00:03.0,W,0x1008,64,\r").size(), 1U);
  EXPECT_EQ(read_text(std::string(kGood) + "# between\n" + kGood).size(), 2U);
  EXPECT_EQ(read_text("5,0000:00:03.0,X,0x0001,1,\n").size(), 1U);
}

TEST(Reader, KeepsTheHead) {
  Reader reader("t", open_memory(std::string("# iommusim-trace 1\r\n#\n#\ttwo\n") + kGood + "# later\n"));
  EXPECT_THAT(reader.head(), testing::ElementsAre(" iommusim-trace 1", "", "\ttwo"));
}

TEST(Reader, LinesMayCrossTheBuffer) {
  std::string text;
  for (int i = 0; i < 40000; ++i)
    text += std::to_string(i) + ",00:03.0,W,0x" + std::string(static_cast<std::size_t>(1 + i % 12), '1') + ",1,\n";
  const auto events = read_text(text);
  ASSERT_EQ(events.size(), 40000U);
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].time_ns, i);
    ASSERT_EQ(events[i].line, i + 1);
  }
}

struct Refusal {
  const char* line;  ///< line 3 of the file
  const char* where_and_what;
};

class ReaderRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(ReaderRefuses, WithLineColumnAndExpectation) {
  const std::string got = refusal_of(std::string("# note\n") + kGood + GetParam().line + "\n" + kGood);
  EXPECT_EQ(got, std::string("t:3:") + GetParam().where_and_what);
}

const Refusal kRefusals[] = {
    {"", "1: empty line, expected an event or a comment"},
    {"5", "2: 1 column, expected 6: time_ns,source,op,iova,bytes,pa"},
    {"5,00:03.0,R,0x1008,64", "22: 5 columns, expected 6: time_ns,source,op,iova,bytes,pa"},
    {"5,00:03.0,R,0x1008,64,0x7008,9", "30: 7 columns, expected 6: time_ns,source,op,iova,bytes,pa"},
    {"5,00:03.0,R,0x1008,64,,", "24: 7 columns, expected 6: time_ns,source,op,iova,bytes,pa"},
    {"-5,00:03.0,R,0x1008,64,", "1: time_ns '-5' is malformed, expected a decimal number below 2^64"},
    {"18446744073709551616,00:03.0,R,0x1008,64,",
     "1: time_ns '18446744073709551616' is too large, expected a decimal number below 2^64"},
    {"4,00:03.0,R,0x1008,64,", "1: time runs backwards, expected at least 5, the time of the event before"},
    {"5,00:3.0,R,0x1008,64,",
     "3: source '00:3.0' is malformed, expected a PCI address bb:dd.f or ssss:bb:dd.f (lower-case hex, device up to "
     "1f, "
     "function up to 7)"},
    {"5,00:20.0,R,0x1008,64,",
     "3: source '00:20.0' is too large, expected a PCI address bb:dd.f or ssss:bb:dd.f (lower-case hex, device up to "
     "1f, "
     "function up to 7)"},
    {"5,00:03.0,Q,0x1008,64,", "11: op 'Q' is malformed, expected R, W, X, M, U or I"},
    {"5,00:03.0,RW,0x1008,64,", "11: op 'RW' is malformed, expected R, W, X, M, U or I"},
    {"5,00:03.0,,0x1008,64,", "11: op '' is malformed, expected R, W, X, M, U or I"},
    {"5,00:03.0,R,1008,64,", "13: iova '1008' is malformed, expected 0x and 1 to 16 lower-case hex digits"},
    {"5,00:03.0,R,0x10AF,64,", "13: iova '0x10AF' is malformed, expected 0x and 1 to 16 lower-case hex digits"},
    {"5,00:03.0,R,0x10000000000000000,64,",
     "13: iova '0x10000000000000000' is too large, expected 0x and 1 to 16 lower-case hex digits"},
    {"5,00:03.0,R,0x1008,0x40,", "20: bytes '0x40' is malformed, expected a decimal number below 2^64"},
    {"5,00:03.0,R,0x1008, 64,", "20: bytes ' 64' is malformed, expected a decimal number below 2^64"},
    {"5,00:03.0,R,0x1008,99999999999999999999999999999999999999999,",
     "20: bytes '9999999999999999999999999999999999999999...' is too large, expected a decimal number below 2^64"},
    {"5,00:03.0,R,0x1008,64,7008",
     "23: pa '7008' is malformed, expected 0x and 1 to 16 lower-case hex digits, or nothing"},
    {"5,00:03.0,R,0x1008,64,0x7008 ",
     "23: pa '0x7008 ' is malformed, expected 0x and 1 to 16 lower-case hex digits, or nothing"},
    {"5,00:03.0,R,0x1008,0,", "20: bytes is 0, expected at least 1"},
    {"5,00:03.0,R,0xffffffffffffffff,2,", "32: iova + bytes passes 2^64, expected a range inside the address space"},
    {"5,00:03.0,W,0x1008,64,0x7000", "23: pa and iova differ in bits 11:0, expected the same page offset"},
    {"5,00:03.0,M,0x1008,4096,0x7000", "13: iova is unaligned, expected a multiple of 4096 in M, U and I"},
    {"5,00:03.0,M,0x1000,4097,0x7000", "20: bytes is unaligned, expected a multiple of 4096 in M, U and I"},
    {"5,00:03.0,M,0x1000,4096,0x7008", "25: pa is unaligned, expected a multiple of 4096 in M"},
    {"5,00:03.0,M,0x1000,4096,", "25: M without pa, expected the physical address that is mapped"},
    {"5,00:03.0,U,0x1000,4096,0x7000", "25: U and I have no pa, expected an empty column"},
    {"5,00:03.0,U,0x1800,4096,", "13: iova is unaligned, expected a multiple of 4096 in M, U and I"},
    {"5,00:03.0,I,0x1000,0,", "13: iova is not 0, expected 0x0 in an I of the whole domain (bytes 0)"},
    {"5,00:03.0,R,0x1008,64,\r\r", "23: byte 0x0d, expected printable ASCII text"},
    {"5,00:03.0,R,0x1008\xc3\xa9,64,", "19: byte 0xc3, expected printable ASCII text"},
    {"# caf\xc3\xa9", "6: byte 0xc3, expected printable ASCII text"},
};
INSTANTIATE_TEST_SUITE_P(Line, ReaderRefuses, testing::ValuesIn(kRefusals));

TEST(Reader, RefusesNulBytes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(refusal_of("5,00:03.0,R,0x1\0,64,\n"s), "t:1:16: byte 0x00, expected printable ASCII text");
  EXPECT_EQ(refusal_of("# a\0\n"s + kGood), "t:1:4: byte 0x00, expected printable ASCII text");
  EXPECT_EQ(refusal_of("\0"s), "t:1:1: byte 0x00, expected printable ASCII text");
}

TEST(Reader, RefusesFilesWithoutEvents) {
  EXPECT_EQ(refusal_of(""), "t:1:1: empty file, expected at least one event");
  EXPECT_EQ(refusal_of("# a\n# b\n"), "t:3:1: no event, expected at least one");
  EXPECT_EQ(refusal_of("\n"), "t:1:1: empty line, expected an event or a comment");
}

TEST(Reader, RefusesOverlongLinesAndHeads) {
  const std::string longest = '#' + std::string(kMaxLineBytes - 1, 'x');
  EXPECT_EQ(read_text(longest + "\r\n" + kGood).size(), 1U);
  const std::string overlong = "t:1:4097: overlong line, expected at most 4096 characters";
  EXPECT_EQ(refusal_of(longest + "x\n" + kGood), overlong);
  EXPECT_EQ(refusal_of(longest + "x"), overlong);
  EXPECT_EQ(refusal_of(std::string(2'000'000, '1')), overlong);
  std::string head;
  for (int i = 0; i < 17; ++i) head += longest + "\n";
  EXPECT_EQ(refusal_of(head + kGood), "t:17:1: more than 64 KiB of comments, expected an event before");
  EXPECT_EQ(read_text(kGood + head + kGood).size(), 2U);  // later comments are not kept
}

TEST(Reader, RefusesForeignVersionsAndColumns) {
  EXPECT_EQ(refusal_of(std::string("# iommusim-trace 2\n") + kGood),
            "t:1:18: unknown version of the trace format, expected 1");
  EXPECT_EQ(
      read_text(std::string("# iommusim-trace 1\n# columns: time_ns,source,op,iova,bytes,pa   (hex)\n") + kGood).size(),
      1U);
  EXPECT_EQ(refusal_of(std::string("#\n# columns: time_ns,source,op,iova,bytes,pa,process_id\n") + kGood),
            "t:2:12: unknown columns, expected time_ns,source,op,iova,bytes,pa");
}

TEST(Reader, DeliversEventsBeforeTheError) {
  Reader reader("t", open_memory(std::string(kGood) + kGood + "x\n"));
  Event event;
  EXPECT_TRUE(reader.next(event));
  EXPECT_TRUE(reader.next(event));
  EXPECT_THROW(reader.next(event), base::InputError);
}

TEST(Reader, NamesTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.store("bad.csv", "5,00:03.0\n");
  EXPECT_EQ(error_of([&] { read_path(path); }), path + ":1:10: 2 columns, expected 6: time_ns,source,op,iova,bytes,pa");
}

}  // namespace
}  // namespace iommusim::traces
