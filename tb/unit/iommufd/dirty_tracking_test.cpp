// SPDX-License-Identifier: Apache-2.0
// HWPT_SET_DIRTY_TRACKING and HWPT_GET_DIRTY_BITMAP: uapi 4.3 and 4.4, R7.2 to R7.5.
#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct DirtyTrackingTest : ::testing::Test {
  DirtyTrackingTest() {
    EXPECT_EQ(world.ioas_map(world.space, kHeap, 32 * kPage, 0x100000), 0);
    tracked = world.hwpt(world.paging(uapi::kIommuHwptDirtyTracking));
    plain = world.hwpt(world.paging());
  }
  int set(ObjectId id, std::uint32_t flags, std::uint32_t reserved = 0) {
    uapi::IommuHwptSetDirtyTracking argument{0, flags, id, reserved};
    return world.call(uapi::kIommuHwptSetDirtyTracking, argument);
  }
  int get(uapi::IommuHwptGetDirtyBitmap argument) { return world.call(uapi::kIommuHwptGetDirtyBitmap, argument); }
  GuestDomain& domain() {
    return dynamic_cast<GuestDomain&>(world.context->objects().hold<HwptPaging>(tracked)->domain());
  }
  GuestWorld world;
  ObjectId tracked = 0, plain = 0;
};

TEST_F(DirtyTrackingTest, SetAnswersInOrder) {
  EXPECT_EQ(set(99, 2), EOPNOTSUPP);  // flag
  EXPECT_EQ(set(99, 1), ENOENT);
  EXPECT_EQ(set(world.space, 1), ENOENT) << "no page table";
  EXPECT_EQ(set(plain, 1), EOPNOTSUPP);  // a domain without it
  domain().tracking_error = EIO;
  EXPECT_EQ(set(tracked, 1), EIO);  // the driver
  domain().tracking_error = 0;
  EXPECT_EQ(set(tracked, 1, 5), 0) << "reserved is not checked";
}

// R7.2
TEST_F(DirtyTrackingTest, R7_2_EnablingForgetsWhatWasBeforeAndBothMayBeSaidTwice) {
  domain().written = {0x100000};
  EXPECT_EQ(set(tracked, 1), 0);
  EXPECT_TRUE(domain().written.empty());
  EXPECT_TRUE(domain().tracking);
  EXPECT_EQ(set(tracked, 1), 0);
  EXPECT_EQ(set(tracked, 0), 0);
  EXPECT_EQ(set(tracked, 0), 0);
  EXPECT_FALSE(domain().tracking);
}

TEST_F(DirtyTrackingTest, GetAnswersInOrder) {
  constexpr std::uint64_t kHuge = ~0ULL;
  uapi::IommuHwptGetDirtyBitmap bad{0, 99, 2, 1, kHuge - 100, 200, 0, 0x123000};
  EXPECT_EQ(get(bad), EOPNOTSUPP);  // flag
  bad.flags = 0;
  EXPECT_EQ(get(bad), EOPNOTSUPP);  // reserved
  bad.reserved = 0;
  EXPECT_EQ(get(bad), ENOENT);
  bad.hwpt_id = plain;
  EXPECT_EQ(get(bad), EOVERFLOW);
  bad.iova = 0x100000;
  bad.length = 0;
  EXPECT_EQ(get(bad), EOVERFLOW) << "length 0";
  bad.iova = 0x100800;
  bad.length = 0x1800;
  EXPECT_EQ(get(bad), EINVAL) << "the start is not aligned";
  bad.iova = 0x100000;
  EXPECT_EQ(get(bad), EINVAL) << "the end is not";
  bad.length = 0x3000;
  EXPECT_EQ(get(bad), EINVAL) << "page size 0";
  bad.page_size = 0x2000;
  EXPECT_EQ(get(bad), EINVAL) << "the end is no multiple of it";
  bad.page_size = 0x1000;
  EXPECT_EQ(get(bad), EOPNOTSUPP);  // a domain without it
  bad.hwpt_id = tracked;
  EXPECT_EQ(get(bad), ENOMEM);  // the bitmap
  bad.data = kReadOnly;
  EXPECT_EQ(get(bad), ENOMEM);
  bad.data = world.put({0});
  EXPECT_EQ(get(bad), 0);
}

// R7.3 to R7.5
TEST_F(DirtyTrackingTest, R7_4_BitsAreOredFromTheAskedIovaOn) {
  domain().written = {0x101000, 0x10A000};
  const std::uint64_t at = world.put({0x10});
  uapi::IommuHwptGetDirtyBitmap ask{0, tracked, uapi::kIommuHwptGetDirtyBitmapNoClear, 0, 0x101000, 0x10000, kPage, at};
  EXPECT_EQ(get(ask), 0);
  EXPECT_EQ(world.word_at(at), 0x10U | 1U | 1U << 9);
  ask.page_size = 0x3000;  // its lowest set bit counts
  ask.length = 0xF000;
  ask.iova = 0x102000;
  EXPECT_EQ(get(ask), 0);
  EXPECT_EQ(world.word_at(at), 0x10U | 1U | 1U << 9 | 1U << 8);
  ask.flags = 0;
  EXPECT_EQ(get(ask), 0);
  EXPECT_EQ(domain().written, (std::set<std::uint64_t>{0x101000})) << "R7.5: what was told is forgotten";
}

}  // namespace
}  // namespace iommusim::iommufd
