// SPDX-License-Identifier: Apache-2.0
// OPTION: the order of its checks, and that only the value comes back.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

struct OptionTest : ::testing::Test {
  int option(std::uint16_t op, ObjectId id, std::uint64_t& value, std::uint16_t reserved = 0,
             std::uint32_t which = uapi::kIommuOptionHugePages) {
    uapi::IommuOption argument{0, which, op, reserved, id, value};
    const int error = world.call(uapi::kIommuOption, argument);
    value = argument.val64;
    return error;
  }
  int set(ObjectId id, std::uint64_t value) { return option(uapi::kIommuOptionOpSet, id, value); }
  std::uint64_t get(ObjectId id) {
    std::uint64_t value = 99;
    EXPECT_EQ(option(uapi::kIommuOptionOpGet, id, value), 0);
    return value;
  }
  World world;
};

TEST_F(OptionTest, AnswersInOrder) {
  const ObjectId id = world.ioas();
  std::uint64_t value = 2;
  EXPECT_EQ(option(7, 99, value, 1, 55), EOPNOTSUPP);
  EXPECT_EQ(option(7, 99, value, 0, 55), EOPNOTSUPP);
  EXPECT_EQ(option(7, 99, value), ENOENT);
  EXPECT_EQ(option(7, id, value), EOPNOTSUPP);
  EXPECT_EQ(option(uapi::kIommuOptionOpSet, id, value), EINVAL);
}

TEST_F(OptionTest, HugePagesAreOnUntilSetOff) {
  const ObjectId id = world.ioas();
  EXPECT_EQ(get(id), 1U);
  EXPECT_EQ(set(id, 0), 0);
  EXPECT_EQ(get(id), 0U);
  EXPECT_EQ(world.ioas_map(id, kHeap, 100, 0x10000), EINVAL);
  EXPECT_EQ(set(id, 1), 0);
  EXPECT_EQ(world.ioas_map(id, kHeap, 100, 0x10000), 0);
  EXPECT_EQ(set(id, 0), EADDRINUSE);
}

TEST_F(OptionTest, OnlyTheValueIsWrittenBack) {
  const uapi::IommuOption argument{24, uapi::kIommuOptionHugePages, uapi::kIommuOptionOpGet, 0, world.ioas(), 9};
  const std::uint64_t at = world.slot();
  ASSERT_EQ(world.user.copy_to_user(at, &argument, sizeof argument), 0);
  std::vector<std::uint64_t> written;
  world.process.set_hook([&](ProcessCall call, std::uint64_t va) {
    if (call == ProcessCall::kCopyToUser) written.push_back(va);
    return 0;
  });
  EXPECT_EQ(world.context->ioctl(world.process, uapi::kIommuOption, at), 0);
  EXPECT_EQ(written, std::vector<std::uint64_t>{at + 16});
}

TEST_F(OptionTest, HugePagesStayOnWhileAPageTableShowsAreas) {
  const ObjectId id = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, id), 0U);
  ASSERT_EQ(world.ioas_map(id, kHeap, kPage, 0x10000), 0);
  EXPECT_EQ(set(id, 0), EINVAL);
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

// R1.9
TEST_F(OptionTest, RlimitModeAnswersInOrder) {
  const auto mode = [&](std::uint16_t op, ObjectId id, std::uint64_t value) {
    return option(op, id, value, 0, uapi::kIommuOptionRlimitMode);
  };
  EXPECT_EQ(mode(7, 5, 9), EOPNOTSUPP) << "an object";
  EXPECT_EQ(mode(7, 0, 9), EOPNOTSUPP) << "the operation";
  const ObjectId id = world.ioas();
  EXPECT_EQ(mode(uapi::kIommuOptionOpSet, 0, 9), EPERM);
  world.user.set_capability(hal::ProcessCapability::kSysResource, true);
  EXPECT_EQ(mode(uapi::kIommuOptionOpSet, 0, 9), EBUSY) << "an object exists";
  EXPECT_EQ(world.destroy(id), 0);
  EXPECT_EQ(mode(uapi::kIommuOptionOpSet, 0, 9), EINVAL);
  EXPECT_EQ(mode(uapi::kIommuOptionOpSet, 0, 1), 0);
  std::uint64_t value = 9;
  EXPECT_EQ(option(uapi::kIommuOptionOpGet, 0, value, 0, uapi::kIommuOptionRlimitMode), 0);
  EXPECT_EQ(value, 1U);
}

}  // namespace
}  // namespace iommusim::iommufd
