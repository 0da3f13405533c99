// SPDX-License-Identifier: Apache-2.0
// errno_name: name, success, unknown number.
#include "domain/errno_name.h"

#include <cerrno>

namespace iommusim::domain {
namespace {

TEST(ErrnoName, NamesWhatItKnows) {
  EXPECT_EQ(errno_name(EINVAL), "EINVAL");
  EXPECT_EQ(errno_name(0), "0");
  EXPECT_EQ(errno_name(12345), "12345");
}

}  // namespace
}  // namespace iommusim::domain
