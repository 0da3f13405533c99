// SPDX-License-Identifier: Apache-2.0
// IOAS_MAP_FILE and IOAS_CHANGE_PROCESS: uapi 3.5 and 8.2.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kAllOnes = ~0ULL;

/// Memory of a device, exported by a driver.
struct Exported final : hal::File, hal::DmaBuf {
  explicit Exported(int the_error) : File("/dmabuf:", hal::Pollable::kAlways), error(the_error) {}
  hal::DmaBuf* dma_buf() override { return this; }
  std::uint64_t bytes() const override { return 4 * kPage; }
  int attach(hal::DmaBufUser&, std::uint64_t& spa) override {
    spa = kLinearSpa;
    return error;
  }
  void detach(hal::DmaBufUser&) override {}
  int error;
};

struct IoasMapFileTest : ::testing::Test {
  int map(uapi::IommuIoasMapFile argument) { return world.call(uapi::kIommuIoasMapFile, argument); }
  int open(std::shared_ptr<hal::File> file) {
    int fd = -1;
    EXPECT_EQ(world.user.descriptors().install(std::move(file), fd), 0);
    return fd;
  }
  int change() {
    uapi::IommuIoasChangeProcess argument{0, 0};
    return world.call(uapi::kIommuIoasChangeProcess, argument);
  }
  World world;
  ObjectId ioas = world.ioas();
};

TEST_F(IoasMapFileTest, AnswersInOrder) {
  uapi::IommuIoasMapFile bad{0, 8, 99, 77, kAllOnes, 0, kAllOnes};
  EXPECT_EQ(map(bad), EOPNOTSUPP);
  bad.flags = kFixed;
  EXPECT_EQ(map(bad), EOVERFLOW) << "the literal value";
  bad.iova = 0x10000;
  EXPECT_EQ(map(bad), EINVAL) << "neither read nor write";
  bad.flags = kFixed | kReadWrite;
  EXPECT_EQ(map(bad), ENOENT);
  bad.ioas_id = ioas;
  EXPECT_EQ(map(bad), EINVAL) << "length 0";
  bad.length = 2;
  EXPECT_EQ(map(bad), EOVERFLOW) << "an inclusive end that wraps";
  bad.start = 0;
  EXPECT_EQ(map(bad), EBADF);
  bad.fd = open(std::make_shared<Exported>(0));
  bad.length = 5 * kPage;
  EXPECT_EQ(map(bad), EINVAL) << "beyond the dma-buf";
  bad.length = kPage;
  bad.fd = open(std::make_shared<Exported>(ENODEV));
  EXPECT_EQ(map(bad), ENODEV) << "revoked";
  bad.fd = open(std::make_shared<Exported>(EOPNOTSUPP));
  EXPECT_EQ(map(bad), EOPNOTSUPP) << "not such an exporter";
  bad.fd = open(std::make_shared<hal::MemFd>(world.frames, 4));
  EXPECT_EQ(map(bad), 0);
  EXPECT_EQ(map(bad), EEXIST);
}

TEST_F(IoasMapFileTest, WithADomainTheFileMatters) {
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, ioas), 0U);
  const int memory = open(std::make_shared<hal::MemFd>(world.frames, 4));
  const int event = open(std::make_shared<hal::EventFile>());
  uapi::IommuIoasMapFile argument{0, kFixed | kReadWrite, ioas, memory, 2 * kPage, 4 * kPage, 0x10000};
  EXPECT_EQ(map(argument), EINVAL) << "beyond the end of the file";
  argument.length = 2 * kPage;
  world.user.set_locked_limit(1);
  EXPECT_EQ(map(argument), ENOMEM);
  world.user.set_locked_limit(hal::SimProcess::kUnlimited);
  EXPECT_EQ(map(argument), 0);
  EXPECT_EQ(world.user.locked_pages(), 2U);
  argument.fd = event;
  argument.iova = 0x20000;
  EXPECT_EQ(map(argument), EINVAL) << "no memory file";
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
  EXPECT_EQ(world.pages_held(), 0U);
}

TEST_F(IoasMapFileTest, ChangeProcessAnswersInOrder) {
  uapi::IommuIoasChangeProcess bad{0, 1};
  EXPECT_EQ(world.call(uapi::kIommuIoasChangeProcess, bad), EOPNOTSUPP);
  EXPECT_EQ(change(), 0) << "nothing is mapped";
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, ioas), 0U);
  const int memory = open(std::make_shared<hal::MemFd>(world.frames, 4));
  uapi::IommuIoasMapFile argument{0, kFixed | kReadWrite, ioas, memory, 0, 4 * kPage, 0x10000};
  ASSERT_EQ(map(argument), 0);
  EXPECT_EQ(change(), 0) << "the same process";
  hal::SimProcess other(world.os, world.memory, world.frames, 3);
  other.map_frames(kArguments, kPage, hal::kUserRead | hal::kUserWrite);
  const uapi::IommuIoasChangeProcess words{8, 0};
  other.copy_to_user(kArguments, &words, sizeof words);
  EXPECT_EQ(world.context->ioctl(other, uapi::kIommuIoasChangeProcess, kArguments), -ENOMEM) << "over its limit";
  EXPECT_EQ(world.user.locked_pages(), 4U) << "nothing has changed";
  other.set_locked_limit(4);
  EXPECT_EQ(world.context->ioctl(other, uapi::kIommuIoasChangeProcess, kArguments), 0);
  EXPECT_EQ(world.user.locked_pages(), 0U);
  EXPECT_EQ(other.locked_pages(), 4U);
  EXPECT_EQ(change(), 0);
  EXPECT_EQ(other.locked_pages(), 0U);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x40000), 0);
  EXPECT_EQ(change(), EINVAL) << "memory of no file";
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
