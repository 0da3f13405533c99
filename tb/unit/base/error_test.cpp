// SPDX-License-Identifier: Apache-2.0
// What an error says: the place as far as it is known, then the message.
#include "base/error.h"

#include <gtest/gtest.h>

namespace iommusim::base {
namespace {

TEST(Error, PrefixLeavesOutWhatIsUnknown) {
  EXPECT_EQ(to_prefix({"a.yaml", 3, 7}), "a.yaml:3:7: ");
  EXPECT_EQ(to_prefix({"a.yaml", 3, 0}), "a.yaml:3: ");
  EXPECT_EQ(to_prefix({"a.yaml", 0, 7}), "a.yaml: ");
  EXPECT_EQ(to_prefix({"", 3, 7}), "");
}

TEST(Error, InputErrorIsTheWholeLine) {
  EXPECT_STREQ(InputError({"a.yaml", 3, 7}, "no such key").what(), "a.yaml:3:7: no such key");
  EXPECT_STREQ(InputError("no input").what(), "no input");
}

TEST(Error, EnsureThrowsOnlyWhenBroken) {
  EXPECT_NO_THROW(ensure(true, "fine"));
  try {
    ensure(false, "queue is lost");
    FAIL() << "no exception";
  } catch (const Contradiction& error) {
    EXPECT_STREQ(error.what(), "internal contradiction: queue is lost");
  }
}

}  // namespace
}  // namespace iommusim::base
