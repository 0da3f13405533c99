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

}  // namespace
}  // namespace iommusim::iommufd
