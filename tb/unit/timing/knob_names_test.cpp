// SPDX-License-Identifier: Apache-2.0
// No knob of the engine without a test of its name: the tests of tb/unit/timing and tb/unit/tlm are read from their
// sources. A knob counts as tested where a test's name has the knob's name in it, and that of its group where several
// groups have a knob of that name. All caches have one shape: of those, each cache and each field must be named once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "timing/params.h"

namespace iommusim::timing {
namespace {

/// Small letters and digits only: write_buffer_bytes and WriteBufferBytes are one name.
std::string bare(const std::string& name) {
  std::string result;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::vector<std::string> names_of_tests() {
  const std::regex heading(R"((?:TEST|TEST_F|SC_TEST|RC_GTEST_PROP)\((\w+), *(\w+))");
  std::vector<std::string> names;
  for (const char* const folder : {"timing", "tlm"})
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(IOMMUSIM_SOURCE_DIR) / "tb/unit" / folder)) {
      std::ifstream text(file.path());
      for (std::string line; std::getline(text, line);)
        if (std::smatch found; std::regex_search(line, found, heading)) names.push_back(bare(found.str()));
    }
  return names;
}

bool is_cache(const std::vector<params::Field>& fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [](const auto& field) { return std::string_view(field.name) == "prefer_free"; });
}

struct Wanted {
  std::set<std::string> single;                         ///< knobs of caches, and the caches
  std::map<std::string, std::set<std::string>> groups;  ///< by knob: the groups that have it

  void collect(const std::string& group, const std::vector<params::Field>& fields) {
    const bool cache = is_cache(fields);
    if (cache) single.insert(group);
    for (const params::Field& field : fields) {
      if (const auto* const nested = std::get_if<params::GroupSlot>(&field.slot))
        collect(field.name, nested->fields);
      else if (cache)
        single.insert(field.name);
      else
        groups[field.name].insert(group);
    }
  }
};

TEST(KnobNames, EachKnobHasATestOfItsName) {
  EngineParams params;
  Wanted wanted;
  wanted.collect("", params::fields_of(params));
  const std::vector<std::string> tests = names_of_tests();
  ASSERT_GT(tests.size(), 100U);
  const auto missing = [&](const std::string& name, const std::string& group) {
    return std::none_of(tests.begin(), tests.end(), [&](const std::string& test) {
      return test.find(bare(name)) != std::string::npos && test.find(bare(group)) != std::string::npos;
    });
  };
  for (const std::string& name : wanted.single) EXPECT_FALSE(missing(name, "")) << name;
  for (const auto& [name, groups] : wanted.groups)
    for (const std::string& group : groups)
      EXPECT_FALSE(missing(name, groups.size() == 1 && wanted.single.count(name) == 0 ? "" : group))
          << group << "." << name;
}

}  // namespace
}  // namespace iommusim::timing
