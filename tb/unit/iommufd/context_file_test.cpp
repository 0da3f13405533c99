// SPDX-License-Identifier: Apache-2.0
// A context behind a descriptor: calls arrive, others find it, the last close ends it.
#include "iommufd/context_file.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

struct ContextFileTest : ::testing::Test {
  int open() {
    int fd = -1;
    EXPECT_EQ(world.user.descriptors().install(std::make_shared<ContextFile>("/dev/iommu", world.context), fd), 0);
    return fd;
  }
  World world;
};

TEST_F(ContextFileTest, CallsReachTheContext) {
  const int fd = open();
  const std::uint64_t at = world.slot();
  const uapi::IommuIoasAlloc argument{sizeof argument, 0, 0};
  ASSERT_EQ(world.user.copy_to_user(at, &argument, sizeof argument), 0);
  EXPECT_EQ(world.user.descriptors().ioctl(world.user, fd, uapi::kIommuIoasAlloc, at), 0);
  EXPECT_TRUE(world.sees_ioas(1));
}

TEST_F(ContextFileTest, OthersFindIt) {
  const int fd = open();
  int other = -1;
  ASSERT_EQ(world.user.descriptors().install(std::make_shared<hal::EventFile>(), other), 0);
  std::shared_ptr<Context> found;
  EXPECT_EQ(find_context(world.user, 77, found), -EBADF);
  EXPECT_EQ(find_context(world.user, other, found), -EBADFD);
  EXPECT_EQ(find_context(world.user, fd, found), 0);
  EXPECT_EQ(found, world.context);
}

TEST_F(ContextFileTest, TheLastCloseEndsIt) {
  const int fd = open();
  const int copy = world.user.descriptors().dup(fd);
  const std::weak_ptr<Context> watch = world.context;
  world.context.reset();
  EXPECT_EQ(world.user.descriptors().close(fd), 0);
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(world.user.descriptors().close(copy), 0);
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace iommusim::iommufd
