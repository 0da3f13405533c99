// SPDX-License-Identifier: Apache-2.0
// Choice tables: look-up by exact name, names in table order.
#include "base/choice.h"

#include <gmock/gmock.h>

namespace iommusim::base {
namespace {

enum class Colour { kRed, kBlue };
constexpr Choice<Colour> kColours[] = {{"red", "long waves", Colour::kRed}, {"blue", "short waves", Colour::kBlue}};

TEST(Choice, FindsARowByName) {
  ASSERT_NE(find_choice(kColours, "blue"), nullptr);
  EXPECT_EQ(find_choice(kColours, "blue")->value, Colour::kBlue);
}

TEST(Choice, AnswersNothingForAPrefixOrAnotherCase) {
  EXPECT_EQ(find_choice(kColours, "blu"), nullptr);
  EXPECT_EQ(find_choice(kColours, "Blue"), nullptr);
  EXPECT_EQ(find_choice(kColours, ""), nullptr);
}

TEST(Choice, ListsNamesInTableOrder) { EXPECT_THAT(choice_names(kColours), testing::ElementsAre("red", "blue")); }

}  // namespace
}  // namespace iommusim::base
