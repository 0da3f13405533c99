// SPDX-License-Identifier: Apache-2.0
// The replayer itself: it finds wrong answers, accounts for every write, and objects to what is no vector.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "conformance/verdict.h"

namespace iommusim::conformance {

/// Replays these lines as one file.
FileResult replay_lines(const std::vector<std::string>& lines, const SubjectMaker& subjects = *functional_subjects()) {
  const std::string file = testing::TempDir() + "vector_" + std::to_string(::getpid()) + ".jsonl";
  std::ofstream out(file);
  out << R"({"op":"case","name":"made"})" << '\n'
      << R"({"op":"reset","capabilities":"0x38310f0e10","fctl":"0x0","reset_mode":"bare","max_mode":"3lvl",)"
      << R"("device_id_mask":"0xffffff","num_hpm":0,"hpm_counter_bits":0,"hpm_event_limit":0,"vector_bits":3,)"
      << R"("gxl_writeable":0,"be_writeable":0,"qosid_mask":"0x0","itags":2,"bare_size":{"sv57":"0x1000",)"
      << R"("sv57x4":"0x1000"}})" << '\n';
  for (const std::string& line : lines) out << line << '\n';
  out.close();
  FileResult result = replay(file, subjects);
  std::filesystem::remove(file);
  return result;
}

bool passes(const FileResult& result) { return judge(result, {}).verdict == Verdict::kPassed; }

TEST(Replayer, FindsWrongAnswers) {
  const std::string translate =
      R"({"op":"translate","at":"untranslated","access":"read","device_id":"0x1","process_id":null,"exec":0,"priv":0,)"
      R"("no_write":0,"cxl":0,"iova":"0x1234","length":1,"expect":{"status":"success","pa":"0x1234","size_max":null,)"
      R"("pbmt":"pma","msi":0}})";
  EXPECT_TRUE(passes(replay_lines({translate})));
  std::string wrong = translate;
  wrong.replace(wrong.find(R"("pa":"0x1234")"), 13, R"("pa":"0x1235")");
  const FileResult result = replay_lines({wrong});
  ASSERT_EQ(result.sections.at(0).mismatches.size(), 1U);
  const Mismatch& mismatch = result.sections[0].mismatches[0];
  EXPECT_NE(mismatch.place().find(".jsonl:3"), std::string::npos);
  EXPECT_EQ(mismatch.what + " " + mismatch.expected + " " + mismatch.found, "pa 0x1235 0x1234");
  EXPECT_FALSE(passes(replay_lines({R"({"op":"reg_read","offset":"0x010","size":8,"expect":"0x0"})"})));
}

TEST(Replayer, AccountsForEveryWrite) {
  const std::vector<std::string> fence = {
      R"({"op":"reg_write","offset":"0x018","size":8,"value":"0x400"})",
      R"({"op":"reg_write","offset":"0x048","size":4,"value":"0x1"})",
      R"({"op":"mem_write","addr":"0x1000","data":"0204000044332211008000000000000000"})",
      R"({"op":"reg_write","offset":"0x024","size":4,"value":"0x1"})", R"({"op":"process"})"};
  const auto with = [&](const std::string& check) {
    std::vector<std::string> lines = fence;
    if (!check.empty()) lines.push_back(check);
    return passes(replay_lines(lines));
  };
  EXPECT_TRUE(with(R"({"op":"mem_check","addr":"0x20000","data":"44332211","kind":"iofence"})"));
  EXPECT_FALSE(with(R"({"op":"mem_check","addr":"0x20000","data":"44332212","kind":"iofence"})"));
  EXPECT_FALSE(with(R"({"op":"mem_check","addr":"0x20000","data":"4433","kind":"iofence"})"));
  EXPECT_FALSE(with(""));
}

TEST(Replayer, ObjectsToWhatIsNoVector) {
  const auto objection = [](const std::string& line) -> std::string {
    try {
      replay_lines({line});
    } catch (const base::InputError& error) {
      const std::string text = error.what();
      return text.substr(text.find(".jsonl:") + 7);
    }
    return "none";
  };
  EXPECT_EQ(objection("{"), "3: expected a JSON object on a line of its own");
  EXPECT_EQ(objection("[1]"), "3: expected a JSON object on a line of its own");
  EXPECT_EQ(objection("{}"), "3: member 'op': expected a string, found nothing");
  EXPECT_EQ(objection(R"({"op":"sleep"})").substr(0, 41), "3: unknown op 'sleep', expected mem_write");
  EXPECT_EQ(objection(R"({"op":"mem_write","addr":"0x1g","data":"00"})"),
            "3: member 'addr': expected a number of 64 bits or \"0x...\", found \"0x1g\"");
  EXPECT_EQ(objection(R"({"op":"mem_write","addr":"0x1","data":"000"})"),
            "3: member 'data': expected hexadecimal digits, two a byte, found \"000\"");
  EXPECT_EQ(objection(R"({"op":"reg_read","offset":"0x10","size":2,"expect":"0x0"})"),
            "3: member 'size': expected 4 or 8");
  EXPECT_EQ(objection(R"({"op":"mem_fault","kind":"rust","addr":null})"),
            "3: member 'kind': expected access or corrupt, found \"rust\"");
  EXPECT_EQ(objection(R"({"op":"mem_check","kind":"pte","addr":"0x0","data":"00","mask":"ffff"})"),
            "3: member 'mask': expected as many bytes as in 'data'");
}

TEST(Verdicts, SectionsBeyondTheModelAreSkipped) {
  const FileVerdict verdict =
      judge(replay_lines(
                {R"({"op":"case","name":"too many tags"})",
                 R"({"op":"reset","capabilities":"0x38310f0e10","fctl":"0x0","reset_mode":"bare","max_mode":"3lvl",)"
                 R"("device_id_mask":"0xffffff","num_hpm":0,"hpm_counter_bits":0,"hpm_event_limit":0,"vector_bits":3,)"
                 R"("gxl_writeable":0,"be_writeable":0,"qosid_mask":"0x0","itags":64,"bare_size":{"sv57":"0x1000",)"
                 R"("sv57x4":"0x1000"}})",
                 R"({"op":"reg_read","offset":"0x010","size":8,"expect":"0x0"})"}),
            {});
  EXPECT_EQ(verdict.verdict, Verdict::kSkipped);
  EXPECT_EQ(verdict.sections.at(0).verdict, Verdict::kPassed);
  EXPECT_EQ(verdict.result.sections.at(1).skipped, "itags = 64");
  Totals totals;
  totals.add(verdict);
  EXPECT_FALSE(totals.good());
}

TEST(Verdicts, ListedPlacesMustFail) {
  const FileResult wrong = replay_lines({R"({"op":"reg_read","offset":"0x010","size":8,"expect":"0x0"})"});
  const std::string place = name_in_list(wrong.file) + ":";
  EXPECT_EQ(judge(wrong, {}).verdict, Verdict::kFailed);
  EXPECT_EQ(judge(wrong, {place + "3"}).verdict, Verdict::kExpectedFailure);
  EXPECT_EQ(judge(wrong, {place + "3", place + "2"}).verdict, Verdict::kFailed) << "line 2 passes";
  EXPECT_EQ(judge(wrong, {place + "3", "elsewhere/file.jsonl:2"}).verdict, Verdict::kExpectedFailure);
  Totals totals;
  totals.add(judge(wrong, {place + "3"}));
  EXPECT_TRUE(totals.good());
  EXPECT_EQ(totals.text(),
            "0 passed, 0 failed, 1 expected failures, 0 skipped (sections: 0 passed, 0 failed, 1 expected failures, "
            "0 skipped)");
  totals.add(judge(wrong, {}));
  EXPECT_FALSE(totals.good());
}

}  // namespace iommusim::conformance
