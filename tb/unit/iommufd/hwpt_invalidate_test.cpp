// SPDX-License-Identifier: Apache-2.0
// HWPT_INVALIDATE: uapi 4.2, R8.3, R8.4.
#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct HwptInvalidateTest : ::testing::Test {
  int invalidate(uapi::IommuHwptInvalidate& argument) { return world.call(uapi::kIommuHwptInvalidate, argument); }
  uapi::IommuHwptInvalidate words(ObjectId target, std::vector<std::uint32_t> list) {
    const auto count = static_cast<std::uint32_t>(list.size());
    return {0, target, world.put(std::move(list)), kGuestType, 4, count, 0};
  }
  GuestWorld world;
  ObjectId parent = world.parent();
  ObjectId nested = world.hwpt(world.nested(parent));
};

TEST_F(HwptInvalidateTest, AnswersInOrderAndAlwaysTellsTheCount) {
  uapi::IommuHwptInvalidate bad{0, 99, 0, 1, 0, 5, 1};
  const auto expect = [&](int error, std::uint32_t count) {
    bad.entry_num = 5;
    EXPECT_EQ(invalidate(bad), error);
    EXPECT_EQ(bad.entry_num, count);
  };
  expect(EOPNOTSUPP, 0);  // reserved
  bad.reserved = 0;
  expect(EINVAL, 0);  // null pointer
  bad.data_uptr = world.put({1, 2, 3, 0, 5});
  expect(EINVAL, 0);  // entry_len 0
  bad.entry_len = 4;
  expect(ENOENT, 0);
  bad.hwpt_id = parent;
  expect(EINVAL, 0);  // another type of object
  bad.hwpt_id = world.space;
  expect(EINVAL, 0);
  bad.hwpt_id = nested;
  GuestNested::invalidates = false;
  expect(EOPNOTSUPP, 0);  // without the operation
  GuestNested::invalidates = true;
  expect(EINVAL, 0);  // the driver: type of data
  bad.data_type = kGuestType;
  expect(EOPNOTSUPP, 3);  // the driver: the fourth entry is bad
  bad.entry_len = 8;
  expect(EINVAL, 0);  // the driver: length
}

// R8.3
TEST_F(HwptInvalidateTest, EntriesAreDoneInOrderUpToTheFirstBadOne) {
  uapi::IommuHwptInvalidate three = words(nested, {7, 8, 9});
  EXPECT_EQ(invalidate(three), 0);
  EXPECT_EQ(three.entry_num, 3U);
  three = words(nested, {1, 0, 2});
  EXPECT_EQ(invalidate(three), EOPNOTSUPP);
  EXPECT_EQ(three.entry_num, 1U);
  three = words(nested, {1});
  three.data_uptr = kArguments + 64 * kPage - 8;
  three.entry_num = 3;
  const std::uint32_t pair[] = {5, 6};
  world.user.copy_to_user(three.data_uptr, pair, 8);
  EXPECT_EQ(invalidate(three), EFAULT);
  EXPECT_EQ(three.entry_num, 2U);
}

TEST_F(HwptInvalidateTest, NoEntriesAskForTheType) {
  uapi::IommuHwptInvalidate probe{0, nested, 0, kGuestType, 0, 0, 0};
  EXPECT_EQ(invalidate(probe), 0);
  probe.data_type = 1;
  EXPECT_EQ(invalidate(probe), EINVAL);
}

// R8.4
TEST_F(HwptInvalidateTest, AVirtualIommuTakesThemToo) {
  const ObjectId viommu = world.viommu(parent);
  uapi::IommuHwptInvalidate two = words(viommu, {3, 4});
  EXPECT_EQ(invalidate(two), 0);
  EXPECT_EQ(two.entry_num, 2U);
  EXPECT_EQ(GuestViommu::newest->invalidation.seen, (std::vector<std::uint32_t>{3, 4}));
}

TEST_F(HwptInvalidateTest, AReplyThatCannotBeWrittenIsAFault) {
  uapi::IommuHwptInvalidate argument = words(nested, {3});
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  EXPECT_EQ(invalidate(argument), EFAULT);
  argument.reserved = 1;
  EXPECT_EQ(invalidate(argument), EFAULT) << "even in place of another error";
  world.process.set_hook({});
}

}  // namespace
}  // namespace iommusim::iommufd
