// SPDX-License-Identifier: Apache-2.0
// The documents say every parameter once, and a declaration that contradicts itself is found.
#include "params/document.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "example.h"

namespace iommusim::params {
namespace {

TEST(Document, DescribesEachLeafByItsPath) {
  const auto rows = descriptions<example::System>();
  ASSERT_EQ(rows.size(), 14U);
  EXPECT_EQ(rows[0].path, "iommu.iotlb.entries");
  EXPECT_EQ(rows[0].type, "u32");
  EXPECT_EQ(rows[0].unit, "count");
  EXPECT_EQ(rows[0].default_value, "64");
  EXPECT_EQ(rows[0].range, "1..65536");
  EXPECT_EQ(rows[0].text, "translations held");
  EXPECT_THAT(rows[1].choices, testing::ElementsAre("lru", "plru", "random"));
  EXPECT_EQ(rows[1].unit, "");
  EXPECT_EQ(rows[5].path, "devices.<name>.trace");
  EXPECT_EQ(rows[5].default_value, "\"\"");
  EXPECT_EQ(rows[9].default_value, "[4, 8]");
}

TEST(Document, TextHasALineEach) {
  const std::string text = to_text(descriptions<example::System>());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 14);
  EXPECT_THAT(text, testing::HasSubstr("translations held [1..65536]"));
}

TEST(Document, MarkdownIsATableAndEscapesBars) {
  const std::string table = to_markdown<example::Iotlb>();
  EXPECT_THAT(table, testing::StartsWith("| Parameter | Unit | Default | Range | Meaning |\n|---|---|---|---|---|\n"));
  EXPECT_THAT(table, testing::HasSubstr("| `fill_ns` | ns | 10 | 0..1000000 | from the walk's end to the hit |\n"));
  EXPECT_THAT(table, testing::HasSubstr("share a walk \\| one walk each |\n"));
}

TEST(Document, JsonHasTheSameRows) {
  const auto json = nlohmann::json::parse(to_json(descriptions<example::System>()));
  ASSERT_EQ(json.size(), 14U);
  EXPECT_EQ(json[0]["path"], "iommu.iotlb.entries");
  EXPECT_EQ(json[1]["choices"].size(), 3U);
}

struct OutOfItsRange {
  std::uint32_t entries = 9;

  template <class V>
  static constexpr void describe(V&& v) {
    v("entries", &OutOfItsRange::entries, Unit::kCount, Range{1, 8}, "too many");
  }
};
struct SameNameTwice {
  bool a = false;
  bool b = false;

  template <class V>
  static constexpr void describe(V&& v) {
    v("a", &SameNameTwice::a, "one");
    v("a", &SameNameTwice::b, "two");
  }
};
struct NotEmpty {
  std::map<std::string, OutOfItsRange> groups{{"a", {}}};

  template <class V>
  static constexpr void describe(V&& v) {
    v.named_groups("groups", &NotEmpty::groups, "by name");
  }
};

TEST(Document, ADeclarationThatContradictsItselfIsFound) {
  EXPECT_THROW(descriptions<OutOfItsRange>(), base::Contradiction);
  EXPECT_THROW(descriptions<SameNameTwice>(), base::Contradiction);
  EXPECT_THROW(descriptions<NotEmpty>(), base::Contradiction);
}

}  // namespace
}  // namespace iommusim::params
