// SPDX-License-Identifier: Apache-2.0
// Numbers of the VFIO calls (uapi 11 to 13); the layouts are asserted in the header.
#include "uapi/vfio.h"

#include <gtest/gtest.h>

namespace iommusim::uapi {
namespace {

TEST(VfioNumbers, AreThoseOfTheAbi) {
  EXPECT_EQ(kVfioGetApiVersion, 0x3B64U);
  EXPECT_EQ(kVfioCheckExtension, 0x3B65U);
  EXPECT_EQ(kVfioSetIommu, 0x3B66U);
  EXPECT_EQ(kVfioGroupGetStatus, 0x3B67U);
  EXPECT_EQ(kVfioGroupSetContainer, 0x3B68U);
  EXPECT_EQ(kVfioGroupUnsetContainer, 0x3B69U);
  EXPECT_EQ(kVfioGroupGetDeviceFd, 0x3B6AU);
  EXPECT_EQ(kVfioDeviceGetInfo, 0x3B6BU);
  EXPECT_EQ(kVfioDeviceGetRegionInfo, 0x3B6CU);
  EXPECT_EQ(kVfioDeviceGetIrqInfo, 0x3B6DU);
  EXPECT_EQ(kVfioDeviceSetIrqs, 0x3B6EU);
  EXPECT_EQ(kVfioDeviceReset, 0x3B6FU);
  EXPECT_EQ(kVfioIommuGetInfo, 0x3B70U);
  EXPECT_EQ(kVfioDeviceGetPciHotResetInfo, 0x3B70U);
  EXPECT_EQ(kVfioIommuMapDma, 0x3B71U);
  EXPECT_EQ(kVfioDevicePciHotReset, 0x3B71U);
  EXPECT_EQ(kVfioIommuUnmapDma, 0x3B72U);
  EXPECT_EQ(kVfioDeviceIoeventfd, 0x3B74U);
  EXPECT_EQ(kVfioIommuDirtyPages, 0x3B75U);
  EXPECT_EQ(kVfioDeviceFeature, 0x3B75U);
  EXPECT_EQ(kVfioDeviceBindIommufd, 0x3B76U);
  EXPECT_EQ(kVfioDeviceAttachIommufdPt, 0x3B77U);
  EXPECT_EQ(kVfioDeviceDetachIommufdPt, 0x3B78U);
}

}  // namespace
}  // namespace iommusim::uapi
