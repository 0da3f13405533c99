// SPDX-License-Identifier: Apache-2.0
// No knob of the engine without a test of its name: the tests of tb/unit/timing and tb/unit/tlm are read from their
// sources. A knob counts as tested where a test's name has the knob's name in it, and that of its group where several
// groups have a knob of that name. All caches have one shape: of those, each cache and each field must be named once.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "timing/params.h"
#include "unit/test_names.h"

namespace iommusim::timing {
namespace {

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
  const std::vector<std::string> tests = test_names::names_of_tests({"unit/timing", "unit/tlm"});
  ASSERT_GT(tests.size(), 100U);
  const auto missing = [&](const std::string& name, const std::string& group) {
    return !test_names::one_has(tests, {name, group});
  };
  for (const std::string& name : wanted.single) EXPECT_FALSE(missing(name, "")) << name;
  for (const auto& [name, groups] : wanted.groups)
    for (const std::string& group : groups)
      EXPECT_FALSE(missing(name, groups.size() == 1 && wanted.single.count(name) == 0 ? "" : group))
          << group << "." << name;
}

}  // namespace
}  // namespace iommusim::timing
