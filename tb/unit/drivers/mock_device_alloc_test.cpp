// SPDX-License-Identifier: Apache-2.0
// What the mock hardware tells programs and makes for them: every rule of test_ops L.5 that is the driver's.
#include "mock_program.h"

#include <gtest/gtest.h>

namespace iommusim::drivers {
namespace {

struct MockDeviceAllocTest : ::testing::Test, MockProgram {
  int alloc(unsigned flags, const domain::UserData& data) {
    std::unique_ptr<domain::Domain> out;
    const int error = device.alloc_paging({flags, data}, out);
    if (out) made = std::move(out);
    return error;
  }
  std::unique_ptr<domain::Domain> made;
};

TEST_F(MockDeviceAllocTest, TellsItsRegister) {
  domain::HwInfo info;
  for (const std::uint32_t type : {0U, uapi::kMockHwInfoType}) {
    ASSERT_EQ(device.hw_info(type, info), 0);
    EXPECT_EQ(info.type, 0xfeedbeefU);
    const std::uint32_t expected[] = {0, 0xdeadbeef};
    ASSERT_EQ(info.data.size(), 8U);
    EXPECT_EQ(std::memcmp(info.data.data(), expected, 8), 0);
  }
  EXPECT_EQ(device.hw_info(1, info), EOPNOTSUPP);
}

TEST_F(MockDeviceAllocTest, PlainPageTablesAreOfKindDefault) {
  ASSERT_EQ(device.alloc_domain(made), 0);
  EXPECT_EQ(made->page_sizes(), 2048U);
  EXPECT_EQ(made->aperture_start(), 0x01000000U);
  EXPECT_EQ(made->aperture_last(), 0x7FFFFFFFU);
}

TEST_F(MockDeviceAllocTest, DataChoosesTheKind) {
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{0, 1})), 0);
  EXPECT_EQ(made->page_sizes(), 4096U | 1U << 20);
  EXPECT_EQ(made->aperture_start(), 0U);
  EXPECT_EQ(made->aperture_last(), ~0ULL);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{0, 1}, 4)), 0) << "the older structure";
  EXPECT_EQ(made->page_sizes(), 2048U);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{0, 2})), EOPNOTSUPP);
  EXPECT_EQ(alloc(0, data(1, uapi::MockHwptData{})), EOPNOTSUPP);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{}, 3)), EINVAL);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{}, 9)), EINVAL);
  EXPECT_EQ(alloc(0, {&process, uapi::kMockHwptType, 8, 0x999000}), EFAULT);
}

TEST_F(MockDeviceAllocTest, KnowsThreeFlags) {
  EXPECT_EQ(alloc(domain::kNestParent | domain::kTracksDirty | domain::kForPasids, {}), 0);
  EXPECT_TRUE(made->tracks_dirty());
  EXPECT_EQ(alloc(4, {}), EOPNOTSUPP);
  EXPECT_EQ(alloc(16, {}), EOPNOTSUPP);
  std::unique_ptr<domain::Domain> out;
  EXPECT_EQ(iommu.add_lone_device({}).alloc_paging({domain::kTracksDirty, {}}, out), EOPNOTSUPP);
}

TEST_F(MockDeviceAllocTest, OnlyProgrammableHardwareTakesRequests) {
  MockIommu plain(os);
  MockDevice& other = plain.add_device();
  EXPECT_FALSE(other.takes_paging_requests() || other.can_nest() || other.offers_virtual_iommu(uapi::kMockViommuType));
  EXPECT_EQ(other.alloc_paging({domain::kForPasids, {}}, made), EOPNOTSUPP);
  EXPECT_TRUE(device.offers_virtual_iommu(uapi::kMockViommuType));
  EXPECT_FALSE(device.offers_virtual_iommu(1));
}

}  // namespace
}  // namespace iommusim::drivers
