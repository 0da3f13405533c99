// SPDX-License-Identifier: Apache-2.0
// All conformance vectors on the functional engine: what fails is exactly what
// expected_failures.txt lists. Needs the vectors: $IOMMUSIM_SHARED, or ../shared beside the repository.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "conformance/expected_failures.h"

namespace iommusim::conformance {

std::string vectors_folder() {
  const char* shared = std::getenv("IOMMUSIM_SHARED");
  return (shared != nullptr ? std::string(shared) : std::string(IOMMUSIM_SOURCE_DIR "/../shared")) + "/vectors/";
}

TEST(Conformance, VectorsFailWhereTheyContradictTheSpecificationOnly) {
  if (!std::filesystem::is_directory(vectors_folder())) GTEST_SKIP() << "no vectors in " << vectors_folder();
  auto expected = read_expected_failures(IOMMUSIM_SOURCE_DIR "/tb/conformance/expected_failures.txt");
  std::size_t sections = 0;
  std::set<std::string> met;
  for (const char* folder : {"suite", "random"})
    for (const std::string& file : vector_files(vectors_folder() + folder))
      for (const SectionResult& section : replay(file).sections) {
        ++sections;
        for (const Mismatch& mismatch : section.mismatches) {
          met.insert(place_in_list(mismatch));
          EXPECT_TRUE(expected.count(place_in_list(mismatch))) << mismatch.place << ": " << mismatch.text;
        }
      }
  EXPECT_EQ(sections, 520U);
  for (const std::string& place : expected) EXPECT_TRUE(met.count(place)) << place << " passes: take it off the list";
}

/// Replays these lines as one file.
FileResult replay_lines(const std::vector<std::string>& lines) {
  const std::string file = testing::TempDir() + "vector_" + std::to_string(::getpid()) + ".jsonl";
  std::ofstream out(file);
  out << R"({"op":"case","name":"made"})" << '\n'
      << R"({"op":"reset","capabilities":"0x38310f0e10","fctl":"0x0","reset_mode":"bare","max_mode":"3lvl",)"
      << R"("device_id_mask":"0xffffff","num_hpm":0,"hpm_counter_bits":0,"hpm_event_limit":0,"vector_bits":3,)"
      << R"("gxl_writeable":0,"be_writeable":0,"qosid_mask":"0x0","itags":2,"bare_size":{"sv57":"0x1000",)"
      << R"("sv57x4":"0x1000"}})" << '\n';
  for (const std::string& line : lines) out << line << '\n';
  out.close();
  FileResult result = replay(file);
  std::filesystem::remove(file);
  return result;
}

TEST(Replayer, FindsWrongAnswers) {
  const std::string translate =
      R"({"op":"translate","at":"untranslated","access":"read","device_id":"0x1","process_id":null,"exec":0,"priv":0,)"
      R"("no_write":0,"cxl":0,"iova":"0x1234","length":1,"expect":{"status":"success","pa":"0x1234","size_max":null,)"
      R"("pbmt":"pma","msi":0}})";
  EXPECT_TRUE(replay_lines({translate}).passed());
  std::string wrong = translate;
  wrong.replace(wrong.find(R"("pa":"0x1234")"), 13, R"("pa":"0x1235")");
  const FileResult result = replay_lines({wrong});
  ASSERT_EQ(result.sections.at(0).mismatches.size(), 1U);
  EXPECT_NE(result.sections[0].mismatches[0].place.find(".jsonl:3"), std::string::npos);
  EXPECT_FALSE(replay_lines({R"({"op":"reg_read","offset":"0x010","size":8,"expect":"0x0"})"}).passed());
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
    return replay_lines(lines).passed();
  };
  EXPECT_TRUE(with(R"({"op":"mem_check","addr":"0x20000","data":"44332211","kind":"iofence"})"));
  EXPECT_FALSE(with(R"({"op":"mem_check","addr":"0x20000","data":"44332212","kind":"iofence"})"));
  EXPECT_FALSE(with(R"({"op":"mem_check","addr":"0x20000","data":"4433","kind":"iofence"})"));
  EXPECT_FALSE(with(""));
}

}  // namespace iommusim::conformance
