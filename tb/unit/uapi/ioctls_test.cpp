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
    {15232, "Destroy", 8, 8},
    {15233, "IoasAlloc", 12, 12},
    {15234, "IoasAllowIovas", 24, 24},
    {15235, "IoasCopy", 40, 40},
    {15236, "IoasIovaRanges", 32, 32},
    {15237, "IoasMap", 40, 40},
    {15238, "IoasUnmap", 24, 24},
    {15239, "Option", 24, 24},
    {15240, "VfioIoas", 12, 12},
    {15241, "HwptAlloc", 48, 24},
    {15242, "GetHwInfo", 40, 32},
    {15243, "HwptSetDirtyTracking", 16, 16},
    {15244, "HwptGetDirtyBitmap", 48, 48},
    {15245, "HwptInvalidate", 32, 32},
    {15246, "FaultQueueAlloc", 16, 16},
    {15247, "IoasMapFile", 40, 40},
    {15248, "ViommuAlloc", 40, 24},
    {15249, "VdeviceAlloc", 24, 24},
    {15250, "IoasChangeProcess", 8, 8},
    {15251, "VeventqAlloc", 32, 28},
    {15252, "HwQueueAlloc", 40, 40},
};

TEST(Ioctls, RowsAreThoseOfTheAbi) {
  ASSERT_EQ(std::size(kIommuIoctls), std::size(kExpected));
  for (const Expected& expected : kExpected) {
    const IoctlRow* const row = find_iommu_ioctl(expected.decimal);
    ASSERT_NE(row, nullptr) << expected.name;
    EXPECT_EQ(std::string(row->name), expected.name);
    EXPECT_EQ(row->struct_size, expected.size) << expected.name;
    EXPECT_EQ(row->min_size, expected.min_size) << expected.name;
  }
}

TEST(Ioctls, ARowIsFoundByItsWholeNumberOnly) {
  EXPECT_EQ(find_iommu_ioctl(kIommuIoasMap)->command, 0x3B85U);
  EXPECT_EQ(find_iommu_ioctl(0x3B95), nullptr);      // behind the last
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
