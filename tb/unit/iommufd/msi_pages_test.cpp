// SPDX-License-Identifier: Apache-2.0
// The window for translated MSIs (R5.4): mapped on first use, the same in all page tables, kept through a replace.
#include "iommufd/msi_pages.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

using domain::ReservedRegion;
constexpr std::uint64_t kWindow = 0x8000000;

GuestOptions with_window() {
  GuestOptions options;
  options.reserved = {{kWindow, kWindow + 0xFFFFF, ReservedRegion::Kind::kSoftwareMsi}};
  return options;
}

struct MsiPagesTest : ::testing::Test {
  std::uint64_t at(ObjectId hwpt, std::uint64_t iova) {
    std::uint64_t spa = 0;
    const auto hold = world.context->objects().hold<HwptPaging>(hwpt);
    return hold->domain().iova_to_phys(iova, spa) ? spa : 0;
  }
  GuestWorld world{with_window()};
};

TEST_F(MsiPagesTest, DoorbellsAreMappedOnFirstUseAndMoveAlong) {
  std::uint64_t iova = 0;
  EXPECT_EQ(device_show_doorbell(*world.context, 99, 0x5000008, iova), ENOENT);
  EXPECT_EQ(device_show_doorbell(*world.context, world.dev, 0x5000008, iova), EINVAL) << "not attached";
  const ObjectId first = world.hwpt(world.paging()), next = world.hwpt(world.paging());
  ASSERT_EQ(world.attach(world.dev, first), 0);
  EXPECT_EQ(at(first, kWindow), 0U);
  EXPECT_EQ(world.ioas_map(world.space, kHeap, kPage, kWindow), EINVAL) << "the window is reserved";
  ASSERT_EQ(device_show_doorbell(*world.context, world.dev, 0x5000008, iova), 0);
  EXPECT_EQ(iova, kWindow + 8);
  EXPECT_EQ(at(first, kWindow), 0x5000000U);
  ASSERT_EQ(device_show_doorbell(*world.context, world.dev, 0x6000000, iova), 0);
  EXPECT_EQ(iova, kWindow + kPage);
  ASSERT_EQ(device_show_doorbell(*world.context, world.dev, 0x5000010, iova), 0);
  EXPECT_EQ(iova, kWindow + 16) << "the page is there already";
  ASSERT_EQ(world.replace(world.dev, next), 0);
  EXPECT_EQ(at(next, kWindow), 0x5000000U);
  EXPECT_EQ(at(next, kWindow + kPage), 0x6000000U);
  ASSERT_EQ(world.attach(world.second_dev, first), 0);
  ASSERT_EQ(device_show_doorbell(*world.context, world.second_dev, 0x6000000, iova), 0);
  EXPECT_EQ(iova, kWindow + kPage) << "the same for all";
}

TEST_F(MsiPagesTest, ADeviceWithoutAWindowNeedsNone) {
  GuestWorld other;
  ASSERT_EQ(other.attach(other.dev, other.space), 0);
  std::uint64_t iova = 0;
  EXPECT_EQ(device_show_doorbell(*other.context, other.dev, 0x5000000, iova), EINVAL);
}

}  // namespace
}  // namespace iommusim::iommufd
