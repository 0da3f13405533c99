// SPDX-License-Identifier: Apache-2.0
// Small questions about fields: ranges cut to the type, names that can stand in a path, quoting.
#include "params/value.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "example.h"

namespace iommusim::params {
namespace {

TEST(Value, ARangeIsCutToTheType) {
  std::uint32_t small = 0;
  const Field field{"x", "", Unit::kCount, Range{-5, 1ULL << 40}, &small};
  EXPECT_EQ(range_text(field), "0..4294967295");
  std::int64_t wide = 0;
  const Field same{"x", "", Unit::kCount, Range{-5, ~0ULL}, &wide};
  EXPECT_EQ(range_text(same), "-5..9223372036854775807");
}

TEST(Value, TypesHaveNames) {
  example::System system;
  const auto fields = fields_of(system);
  EXPECT_EQ(type_name(fields[0]), "group");
  EXPECT_EQ(type_name(fields[1]), "map");
  EXPECT_EQ(type_name(fields[2]), "list of u32");
  EXPECT_TRUE(is_number(fields[2]));
  EXPECT_TRUE(is_real(fields[5]));
  EXPECT_FALSE(is_number(fields[6]));
  EXPECT_EQ(range_text(fields[6]), "");
}

TEST(Value, AnEnumeratorOutsideTheTableIsAContradiction) {
  example::Iotlb iotlb;
  iotlb.policy = static_cast<example::Policy>(9);
  const auto fields = fields_of(iotlb);
  EXPECT_THROW(chosen_name(std::get<ChoiceSlot>(fields[1].slot)), base::Contradiction);
}

TEST(Value, NamesCanStandInAPath) {
  for (const char* good : {"nic0", "a-b_c", "0", "null"}) EXPECT_TRUE(is_name(good)) << good;
  for (const char* bad : {"", "a.b", "a b", "-a", "_a", "a=b", "\xc3\xa9"}) EXPECT_FALSE(is_name(bad)) << bad;
}

TEST(Value, QuotingEscapesWhatYamlAndJsonWould) {
  EXPECT_EQ(quote("plain"), "\"plain\"");
  EXPECT_EQ(quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quote("a\nb\x7f"), "\"a\\u000ab\\u007f\"");
}

}  // namespace
}  // namespace iommusim::params
