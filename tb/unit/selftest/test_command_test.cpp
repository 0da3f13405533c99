// SPDX-License-Identifier: Apache-2.0
// The test command at the border: numbers, sizes, unknown operations, what is copied back, a machine without it.
#include "selftest/test_command.h"

#include <gtest/gtest.h>

#include "test_world.h"
#include "uapi/build_options.h"

namespace iommusim::selftest {
namespace {

constexpr std::uint64_t kNowhere = 0x123000;

struct TestCommandTest : ::testing::Test {
  int raw(std::uint32_t command, std::uint64_t at) { return -world.context->ioctl(world.process, command, at); }
  /// The command with another size and one byte set somewhere.
  int sized(Command command, std::uint32_t size, std::uint32_t nonzero_at = 0) {
    unsigned char bytes[512] = {};
    command.size = size;
    std::memcpy(bytes, &command, sizeof command);
    if (nonzero_at != 0) bytes[nonzero_at] = 1;
    const std::uint64_t at = world.slot();
    world.user.copy_to_user(at, bytes, sizeof bytes);
    return raw(uapi::kIommuTest, at);
  }
  TestWorld world;
};

TEST_F(TestCommandTest, EverySize) {
  const ObjectId ioas = world.ioas();
  Command command = TestWorld::make(uapi::kTestAddReserved, ioas);
  std::uint64_t next = 0;
  const auto reserve = [&](std::uint32_t size, std::uint32_t nonzero_at = 0) {
    command.add_reserved = {next += kPage, kPage};
    return sized(command, size, nonzero_at);
  };
  for (std::uint32_t size = 0; size < 68; ++size) EXPECT_EQ(reserve(size), EINVAL) << size;
  for (std::uint32_t size = 68; size < 300; size += 7) EXPECT_EQ(reserve(size), 0) << size;
  EXPECT_EQ(reserve(73, 72), E2BIG);
  EXPECT_EQ(reserve(300, 299), E2BIG);
  EXPECT_EQ(reserve(300, 300), 0) << "a byte beyond the stated size does not count";
}

TEST_F(TestCommandTest, ReservedBytesAreNotLookedAt) {
  Command command = TestWorld::make(uapi::kTestAddReserved, world.ioas());
  command.reserved = command.last = 77;
  command.add_reserved = {0, kPage};
  EXPECT_EQ(world.test(command), 0);
}

TEST_F(TestCommandTest, UnknownOperations) {
  EXPECT_EQ(world.test(TestWorld::make(0)), EOPNOTSUPP);
  EXPECT_EQ(world.test(TestWorld::make(24)), EOPNOTSUPP);
  EXPECT_EQ(world.test(TestWorld::make(0x80000001)), EOPNOTSUPP);
}

TEST_F(TestCommandTest, NumbersAround) {
  const std::uint64_t good = world.slot();
  const std::uint32_t size = 72;
  world.user.copy_to_user(good, &size, sizeof size);
  for (std::uint32_t nr = 0x95; nr < 0xA0; ++nr) {
    EXPECT_EQ(raw(uapi::iommu_command(nr), kNowhere), EFAULT) << nr;
    EXPECT_EQ(raw(uapi::iommu_command(nr), good), ENOTTY) << nr;
  }
  EXPECT_EQ(raw(uapi::kIommuTest, kNowhere), EFAULT);
  EXPECT_EQ(raw(uapi::kIommuTest | 1U << 30, good), ENOTTY) << "other direction bits";
  EXPECT_EQ(raw(uapi::kIommuTest | 1U << 30, kNowhere), EFAULT);
  EXPECT_EQ(raw(uapi::iommu_command(0xA1), kNowhere), ENOTTY) << "outside of the table";
}

TEST_F(TestCommandTest, AMachineWithoutIt) {
  world.host.extra = nullptr;
  for (std::uint32_t nr = 0x95; nr <= 0xA1; ++nr) EXPECT_EQ(raw(uapi::iommu_command(nr), kNowhere), ENOTTY) << nr;
}

TEST_F(TestCommandTest, ABuildMayLeaveItOut) {
  EXPECT_EQ(TestCommand::make(world.os, world.memory, world.frames) != nullptr, uapi::kHasIommufdTest);
}

TEST_F(TestCommandTest, WithoutOutFieldsTheStructureIsLeftAlone) {
  Command command = TestWorld::make(uapi::kTestAddReserved, world.ioas());
  command.add_reserved = {0, kPage};
  unsigned char bytes[72];
  command.size = 72;
  std::memcpy(bytes, &command, sizeof command);
  const std::uint64_t read_only = kReadOnly;  // a reply would be EFAULT
  world.user.unmap(kReadOnly, 1 << 20);
  world.user.map_linear(read_only, kPage, iommufd::kLinearSpa, hal::kUserRead);
  world.memory.write(iommufd::kLinearSpa, bytes, sizeof bytes);
  EXPECT_EQ(raw(uapi::kIommuTest, read_only), 0);
  command = TestWorld::make(uapi::kTestMockDomain, command.id);
  command.size = 72;
  world.memory.write(iommufd::kLinearSpa, &command, sizeof command);
  const std::uint64_t devices = world.command.iommu().live_devices();
  EXPECT_EQ(raw(uapi::kIommuTest, read_only), EFAULT);
  EXPECT_EQ(world.command.iommu().live_devices(), devices) << "the device went again";
}

}  // namespace
}  // namespace iommusim::selftest
