// SPDX-License-Identifier: Apache-2.0
// The rows against the table of the ABI: number, decimal value, size, smallest size.
#include "uapi/ioctls.h"

#include <gtest/gtest.h>

#include <string>

namespace iommusim::uapi {
namespace {

struct Expected {
  std::uint32_t decimal;
  const char* name;
  std::uint32_t size;
  std::uint32_t min_size;
};

constexpr Expected kExpected[] = {
    {15232, "Destroy", 8, 8},     {15233, "IoasAlloc", 12, 12},      {15234, "IoasAllowIovas", 24, 24},
    {15235, "IoasCopy", 40, 40},  {15236, "IoasIovaRanges", 32, 32}, {15237, "IoasMap", 40, 40},
    {15238, "IoasUnmap", 24, 24}, {15239, "Option", 24, 24},         {15241, "HwptAlloc", 48, 24},
};

TEST(Ioctls, RowsAreThoseOfTheAbi) {
  ASSERT_EQ(std::size(kIommuIoctls), std::size(kExpected));
  for (std::size_t i = 0; i < std::size(kExpected); ++i) {
    const IoctlRow& row = kIommuIoctls[i];
    EXPECT_EQ(row.command, kExpected[i].decimal);
    EXPECT_EQ(std::string(row.name), kExpected[i].name);
    EXPECT_EQ(row.struct_size, kExpected[i].size) << row.name;
    EXPECT_EQ(row.min_size, kExpected[i].min_size) << row.name;
  }
}

TEST(Ioctls, ARowIsFoundByItsWholeNumberOnly) {
  EXPECT_EQ(find_iommu_ioctl(kIommuIoasMap)->command, 0x3B85U);
  EXPECT_EQ(find_iommu_ioctl(0x3B88), nullptr);      // VFIO_IOAS is not here
  EXPECT_EQ(find_iommu_ioctl(0x40003B85), nullptr);  // direction bits
  EXPECT_EQ(find_iommu_ioctl(0x85), nullptr);
}

TEST(Ioctls, NumbersStayInsideTheTable) {
  for (const IoctlRow& row : kIommuIoctls) {
    EXPECT_GE(row.command & 0xFF, kIommuFirstNr);
    EXPECT_LE(row.command & 0xFF, kIommuLastNr);
    EXPECT_LE(row.min_size, row.struct_size);
  }
}

}  // namespace
}  // namespace iommusim::uapi
