// SPDX-License-Identifier: Apache-2.0
// Loading YAML: the tree with the place of every key and value, and a place for every refusal.
#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "params/tree.h"

namespace iommusim::params {
namespace {

std::string yaml_error(const std::string& text) {
  try {
    load_yaml_text(text, "f.yaml");
  } catch (const base::InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Yaml, KnowsThePlaceOfKeysAndValues) {
  const Tree tree = load_yaml_text("a: 1\nb:\n  c: [x, 'y']\n", "f.yaml");
  ASSERT_EQ(tree.kind, Tree::Kind::kMap);
  ASSERT_EQ(tree.entries.size(), 2U);
  EXPECT_EQ(tree.entries[1].key, "b");
  EXPECT_EQ(to_prefix(tree.entries[1].position), "f.yaml:2:1: ");
  const Tree* list = tree.find("b")->find("c");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 2U);
  EXPECT_EQ(list->items[1].scalar, "y");
  EXPECT_EQ(to_prefix(list->items[1].position), "f.yaml:3:10: ");
  EXPECT_EQ(tree.find("c"), nullptr);
}

TEST(Yaml, NothingIsNull) {
  EXPECT_EQ(load_yaml_text("", "f").kind, Tree::Kind::kNull);
  EXPECT_EQ(load_yaml_text("# only words\n", "f").kind, Tree::Kind::kNull);
  EXPECT_EQ(load_yaml_text("a:\n", "f").find("a")->kind, Tree::Kind::kNull);
  EXPECT_EQ(load_yaml_text("a: \"\"\n", "f").find("a")->kind, Tree::Kind::kScalar);
}

TEST(Yaml, RefusesADuplicateKeyWithBothLines) {
  EXPECT_EQ(yaml_error("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: duplicate key 'a'; the first is in line 1");
  EXPECT_EQ(yaml_error("x: {a: 1, a: 2}\n"), "f.yaml:1:11: duplicate key 'a'; the first is in line 1");
}

TEST(Yaml, RefusesSyntaxErrorsWithLineAndColumn) {
  EXPECT_THAT(yaml_error("a: 1\nb: c: d\n"), testing::StartsWith("f.yaml:2:5: not valid YAML: "));
  EXPECT_THAT(yaml_error("a: [1, 2\nb: 3\n"), testing::StartsWith("f.yaml:2:2: not valid YAML: "));
  EXPECT_THAT(yaml_error("a: \"open"), testing::StartsWith("f.yaml:1:"));
  EXPECT_THAT(yaml_error("a:\n\tb: 1\n"), testing::StartsWith("f.yaml:2:"));
}

TEST(Yaml, RefusesWhatTheTreeCannotHold) {
  EXPECT_THAT(yaml_error("a: &x 1\nb: *x\n"), testing::StartsWith("f.yaml:1:4: anchors and aliases"));
  EXPECT_THAT(yaml_error("a: !!int 1\n"), testing::StartsWith("f.yaml:1:4: the tag"));
  EXPECT_EQ(yaml_error("--- {a: 1}\n--- {b: 2}\n"), "f.yaml:2:1: a second document begins; expected one");
  EXPECT_EQ(yaml_error("? [a]\n: 1\n"),
            "f.yaml:1:3: expected a name as key, found a list or map; is a bracket not closed?");
  EXPECT_EQ(yaml_error("~: 1\n"), "f.yaml:1:1: expected a name as key, found nothing");
  EXPECT_THAT(yaml_error(std::string(5000, '[')), testing::StartsWith("f.yaml:"));
}

TEST(Yaml, ReadsAFileAndSaysWhichItCannotRead) {
  const std::string path = testing::TempDir() + "yaml_test.yaml";
  std::ofstream(path) << "a: 1\n";
  const Tree tree = load_yaml_file(path);
  EXPECT_EQ(tree.find("a")->scalar, "1");
  EXPECT_EQ(tree.find("a")->position.file, path);
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(load_yaml_file(path).kind, Tree::Kind::kNull) << "an empty file is an empty document";
  std::remove(path.c_str());
  try {
    load_yaml_file(path);
    FAIL() << "read a file that is gone";
  } catch (const base::InputError& error) {
    EXPECT_EQ(std::string(error.what()), path + ": cannot read the file: No such file or directory");
  }
  EXPECT_THROW(load_yaml_file(testing::TempDir()), base::InputError);
}

}  // namespace
}  // namespace iommusim::params
