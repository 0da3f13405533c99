// SPDX-License-Identifier: Apache-2.0
// The names of tests, read from their sources: for checks that something has a test named after it.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace iommusim::test_names {

/// Small letters and digits only: write_buffer_bytes and WriteBufferBytes are one name.
inline std::string bare(const std::string& name) {
  std::string result;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Suite and test in one, bare, of all sources below these folders of tb.
inline std::vector<std::string> names_of_tests(const std::vector<std::string>& folders) {
  const std::regex heading(R"((?:TEST|TEST_F|SC_TEST|RC_GTEST_PROP)\((\w+), *(\w+))");
  std::vector<std::string> names;
  for (const std::string& folder : folders)
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(IOMMUSIM_SOURCE_DIR) / "tb" / folder)) {
      if (file.path().extension() != ".cpp") continue;
      std::ifstream text(file.path());
      for (std::string line; std::getline(text, line);)
        if (std::smatch found; std::regex_search(line, found, heading)) names.push_back(bare(found.str()));
    }
  return names;
}

/// One test has all these words in its name.
inline bool one_has(const std::vector<std::string>& tests, const std::vector<std::string>& words) {
  return std::any_of(tests.begin(), tests.end(), [&](const std::string& test) {
    return std::all_of(words.begin(), words.end(),
                       [&](const std::string& word) { return test.find(bare(word)) != std::string::npos; });
  });
}

}  // namespace iommusim::test_names
