// SPDX-License-Identifier: Apache-2.0
// The files: every kind as a line, JSON that parses, a cap that is kept, and a last line that says why it ends.
#include "record/file_sink.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "record/recorder.h"

namespace iommusim::record {
namespace {

class TemporaryFile {
 public:
  TemporaryFile() : path(testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::vector<std::string> lines() const {
    std::ifstream in(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  std::string path;
};

void emit_one_of_each(Recorder& recorder) {
  Translation translation;
  translation.id = 7;
  translation.device = 0x10;
  translation.iova = 0xFFFFFFFFFFFFF000;
  translation.bytes = 64;
  translation.page_shift = 12;
  translation.accepted = 100;
  translation.iotlb = 200;
  translation.done = 100 + (1ULL << 33);
  recorder.emit(translation);
  recorder.emit(Fault{8, 0x10, 3, Access::kWrite, 0x1000, 50, 15, 0x1000, 0});
  recorder.emit(Command{4, 60, 70, 0xA, 0xB});
  recorder.emit(RegisterAccess{5, 0x30, 8, true, 80, 90, 0xC});
  recorder.emit(Mapping{false, 6, 0x4000, 0x2000, 100, 110});
  recorder.emit(Mapping{true, 6, 0x4000, 0x2000, 120, 130});
}

TEST(FileSink, TextHasALineForEach) {
  const TemporaryFile file;
  Recorder recorder;
  recorder.attach(make_text_sink(file.path, ~0ULL));
  emit_one_of_each(recorder);
  recorder.close();
  EXPECT_THAT(
      file.lines(),
      testing::ElementsAre(
          "100 translation id=7 device=0x10 process=- read iova=0xfffffffffffff000 bytes=64 page=4096 completed "
          "iotlb=200 done=8589934692",
          "50 fault id=8 device=0x10 process=0x3 write iova=0x1000 cause=15 iotval=0x1000 iotval2=0x0",
          "60 command id=4 words=0x000000000000000a,0x000000000000000b done=70",
          "80 register id=5 write offset=0x30 bytes=8 data=0xc done=90",
          "100 map space=6 iova=0x4000 length=0x2000 done=110", "120 unmap space=6 iova=0x4000 length=0x2000 done=130",
          "# end of run at 120: 6 records written, 0 outside the window, 0 not sampled"));
}

TEST(FileSink, JsonLinesParseAndAreExact) {
  const TemporaryFile file;
  Recorder recorder;
  recorder.attach(make_json_lines_sink(file.path, ~0ULL));
  emit_one_of_each(recorder);
  recorder.close();
  std::vector<nlohmann::json> rows;
  for (const std::string& line : file.lines()) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[0]["kind"], "translation");
  EXPECT_EQ(rows[0]["iova"].get<std::uint64_t>(), 0xFFFFFFFFFFFFF000);
  EXPECT_EQ(rows[0]["time"], 100);
  EXPECT_EQ(rows[0]["done"].get<std::uint64_t>(), 8589934692U);
  EXPECT_FALSE(rows[0].contains("walk_start"));
  EXPECT_FALSE(rows[0].contains("process"));
  EXPECT_EQ(rows[0]["outcome"], "completed");
  EXPECT_EQ(rows[1]["process"], 3);
  EXPECT_EQ(rows[1]["cause"], 15);
  EXPECT_EQ(rows[2]["words"], (nlohmann::json{10, 11}));
  EXPECT_EQ(rows[3]["write"], true);
  EXPECT_EQ(rows[4]["length"], 0x2000);
  EXPECT_EQ(rows[5]["kind"], "unmap");
  EXPECT_EQ(rows[6]["kind"], "closing");
  EXPECT_EQ(rows[6]["reason"], "end");
  EXPECT_EQ(rows[6]["written"], 6);
}

TEST(FileSink, RecordsStayWithinTheCapAndTheFileSaysSo) {
  for (const auto& choice : kFileSinks) {
    const TemporaryFile file;
    constexpr std::uint64_t cap = 1000;
    Recorder recorder;
    recorder.attach(choice.value(file.path, cap));
    for (int i = 0; i < 100; ++i) recorder.emit(Command{});
    EXPECT_FALSE(recorder.active());
    const auto lines = file.lines();
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) bytes += lines[i].size() + 1;
    EXPECT_LE(bytes, cap);
    EXPECT_GT(bytes + lines[0].size() + 1, cap) << "one more would have fitted";
    const std::string said = std::to_string(lines.size() - 1);
    EXPECT_THAT(lines.back(), testing::AnyOf(testing::HasSubstr(said + " records written"),
                                             testing::HasSubstr("\"written\":" + said)));
    EXPECT_THAT(lines.back(),
                testing::AnyOf(testing::HasSubstr("size cap reached"), testing::HasSubstr("\"reason\":\"size_cap\"")));
  }
}

TEST(FileSink, AFileThatCannotBeWrittenIsNamed) {
  const std::string path = testing::TempDir() + "no/such/folder/trace.txt";
  try {
    make_text_sink(path, 1000);
    FAIL() << "opened " << path;
  } catch (const base::InputError& error) {
    EXPECT_EQ(std::string(error.what()), path + ": cannot write the file: No such file or directory");
  }
}

TEST(FileSink, AFullDiskIsNoticed) {
  if (!std::ifstream("/dev/full").is_open()) GTEST_SKIP() << "this system has no /dev/full";
  Recorder recorder;
  recorder.attach(make_text_sink("/dev/full", ~0ULL));
  recorder.emit(Command{});
  EXPECT_THROW(recorder.close(), base::InputError);
}

}  // namespace
}  // namespace iommusim::record
