// SPDX-License-Identifier: Apache-2.0
// --set: where the value lands, what is merged, how errors name it.
#include "params/tree.h"

#include <gmock/gmock.h>

namespace iommusim::params {
namespace {

std::string set_error(const std::string& file, const std::string& assignment) {
  Tree tree = load_yaml_text(file, "f.yaml");
  try {
    apply_set(tree, assignment);
  } catch (const base::InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Set, ReplacesAValueAndRemembersWhoDidIt) {
  Tree tree = load_yaml_text("a: {b: 1, c: 2}\n", "f.yaml");
  apply_set(tree, "a.b=5");
  EXPECT_EQ(tree.find("a")->find("b")->scalar, "5");
  EXPECT_EQ(to_prefix(tree.find("a")->find("b")->position), "--set a.b=5: ");
  EXPECT_EQ(tree.find("a")->find("c")->scalar, "2");
}

TEST(Set, MakesThePathThatIsMissing) {
  Tree tree;
  apply_set(tree, "a.b.c=x=y");
  EXPECT_EQ(tree.find("a")->find("b")->find("c")->scalar, "x=y");
  EXPECT_EQ(to_prefix(tree.find("a")->entries[0].position), "--set a.b.c=x=y: ");
}

TEST(Set, TheLastOneWins) {
  Tree tree;
  apply_set(tree, "a=1");
  apply_set(tree, "a=2");
  EXPECT_EQ(tree.find("a")->scalar, "2");
  EXPECT_EQ(tree.entries.size(), 1U);
}

TEST(Set, MergesMapsAndReplacesLists) {
  Tree tree = load_yaml_text("a: {b: 1, c: {d: 2}}\nl: [1, 2]\n", "f.yaml");
  apply_set(tree, "a={c: {e: 3}, b: 4}");
  apply_set(tree, "l=[9]");
  EXPECT_EQ(tree.find("a")->find("b")->scalar, "4");
  EXPECT_EQ(tree.find("a")->find("c")->find("d")->scalar, "2");
  EXPECT_EQ(tree.find("a")->find("c")->find("e")->scalar, "3");
  ASSERT_EQ(tree.find("l")->items.size(), 1U);
  EXPECT_EQ(tree.find("l")->items[0].scalar, "9");
}

TEST(Set, AnEmptyValueIsAnEmptyText) {
  Tree tree;
  apply_set(tree, "trace=");
  EXPECT_EQ(tree.find("trace")->kind, Tree::Kind::kScalar);
  EXPECT_EQ(tree.find("trace")->scalar, "");
}

TEST(Set, RefusesWhatIsNoAssignment) {
  EXPECT_EQ(set_error("", "abc"), "--set abc: expected path=value");
  EXPECT_THAT(set_error("", "=1"), testing::StartsWith("--set =1: expected names"));
  EXPECT_THAT(set_error("", "a..b=1"), testing::StartsWith("--set a..b=1: expected names"));
  EXPECT_EQ(set_error("", "a=\"x"), "--set a=\"x: not valid YAML: illegal EOF in scalar");
  EXPECT_THAT(set_error("", "a=[1"), testing::EndsWith("is a bracket not closed?"));
  EXPECT_THAT(set_error("a: 4\n", "a.b=1"), testing::HasSubstr("f.yaml:1:4"));
}

TEST(PositionOf, IsThatOfTheValueOrOfTheInnermostGroupAroundIt) {
  const Tree tree = load_yaml_text("a: 1\nb:\n  c: {d: 2}\n", "f.yaml");
  const auto at = [&](std::string_view path) { return base::to_prefix(position_of(tree, path, "f.yaml")); };
  EXPECT_EQ(at("b.c.d"), "f.yaml:3:10: ");
  EXPECT_EQ(at("b.c.x"), "f.yaml:3:6: ");
  EXPECT_EQ(at("a"), "f.yaml:1:4: ");
  EXPECT_EQ(at("x.y"), "f.yaml:1:1: ");
  EXPECT_EQ(at(""), "f.yaml:1:1: ");
}

}  // namespace
}  // namespace iommusim::params
