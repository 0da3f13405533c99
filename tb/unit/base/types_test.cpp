// SPDX-License-Identifier: Apache-2.0
// Strong types: they compare and hash by value and do not turn into one another.
#include "base/types.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace iommusim::base {
namespace {

static_assert(!std::is_convertible_v<std::uint64_t, Iova>, "a bare number is no IOVA");
static_assert(!std::is_convertible_v<Iova, Gpa> && !std::is_constructible_v<Gpa, Iova>, "an IOVA is no GPA");
static_assert(!std::is_convertible_v<Iova, std::uint64_t>, "an IOVA is no bare number");
static_assert(sizeof(Iova) == 8 && sizeof(DeviceId) == 4 && sizeof(Gscid) == 2);

TEST(Types, CompareByValue) {
  EXPECT_EQ(Iova(5), Iova(5));
  EXPECT_NE(Iova(5), Iova(6));
  EXPECT_LT(Iova(5), Iova(6));
  EXPECT_EQ(Iova(), Iova(0));
}

TEST(Types, AreKeysOfHashTables) {
  const std::unordered_set<DeviceId> devices{DeviceId(1), DeviceId(2), DeviceId(1)};
  EXPECT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices.count(DeviceId(2)), 1U);
}

}  // namespace
}  // namespace iommusim::base
