// SPDX-License-Identifier: Apache-2.0
// MAP_FILE in the order of uapi 3.5, memory files and dma-bufs behind it, and CHANGE_PROCESS (uapi 8.2).
#include <gtest/gtest.h>

#include <set>

#include "hal/file_table.h"
#include "world.h"

namespace iommusim::iommufd {
namespace {

/// A dma-buf of 4 pages.
class FourPages final : public hal::File, public hal::DmaBuf {
 public:
  FourPages() : File("anon_inode:dmabuf", hal::Pollable::kAlways) {}
  hal::DmaBuf* dma_buf() override { return this; }
  std::uint64_t bytes() const override { return 4 * kPage; }
  int attach(hal::DmaBufUser& user, std::uint64_t& spa_out) override {
    if (answer != 0) return answer;
    users.insert(&user);
    spa_out = 0x70000000;
    return 0;
  }
  void detach(hal::DmaBufUser& user) override { users.erase(&user); }
  void revoke() {
    answer = ENODEV;
    for (hal::DmaBufUser* user : users) user->revoked();
  }
  int answer = 0;
  std::set<hal::DmaBufUser*> users;
};

struct ChangeProcessTest : ::testing::Test {
  void SetUp() override {
    ASSERT_EQ(world.user.descriptors().install(file, fd), 0);
    ASSERT_EQ(world.user.descriptors().install(buffer, buffer_fd), 0);
  }
  int map(uapi::IommuIoasMapFile argument) { return world.call(uapi::kIommuIoasMapFile, argument); }
  int map_fixed(ObjectId ioas, int of, std::uint64_t start, std::uint64_t length, std::uint64_t iova,
                std::uint32_t flags = kReadWrite) {
    return map({0, flags | kFixed, ioas, of, start, length, iova});
  }
  int change_process(hal::Process& caller) {
    const uapi::IommuIoasChangeProcess argument{8, 0};
    const std::uint64_t at = world.slot();
    EXPECT_EQ(world.user.copy_to_user(at, &argument, sizeof argument), 0);
    EXPECT_EQ(caller.copy_to_user(at, &argument, sizeof argument), 0);
    return -world.context->ioctl(caller, uapi::kIommuIoasChangeProcess, at);
  }
  void attach(ObjectId ioas) {
    device = world.bound(world.device);
    ASSERT_NE(world.attached(device, ioas), 0U);
  }
  void TearDown() override {
    if (device == 0) return;
    EXPECT_EQ(device_detach(*world.context, device), 0);
    EXPECT_EQ(device_unbind(*world.context, device), 0);
  }
  World world;
  std::shared_ptr<hal::MemFd> file = std::make_shared<hal::MemFd>(world.frames, 8);
  std::shared_ptr<FourPages> buffer = std::make_shared<FourPages>();
  int fd = -1, buffer_fd = -1;
  ObjectId device = 0;
};

TEST_F(ChangeProcessTest, AnswersInOrder) {
  const ObjectId id = world.ioas();
  uapi::IommuIoasMapFile bad{0, 8, 99, 77, ~0ULL, ~0ULL, ~0ULL};
  EXPECT_EQ(map(bad), EOPNOTSUPP);
  bad.flags = 0;
  EXPECT_EQ(map(bad), EOVERFLOW);
  bad.length = 0;
  EXPECT_EQ(map(bad), EOVERFLOW) << "the iova";
  bad.iova = 0;
  EXPECT_EQ(map(bad), EINVAL) << "neither read nor write";
  bad.flags = kReadWrite;
  EXPECT_EQ(map(bad), ENOENT);
  bad.ioas_id = id;
  EXPECT_EQ(map(bad), EINVAL) << "length 0";
  bad.length = 2;
  EXPECT_EQ(map(bad), EOVERFLOW);
  bad.length = 1;
  EXPECT_EQ(map(bad), EBADF) << "an inclusive end: 2^64 - 1 is none too high";
  bad.fd = -1;
  EXPECT_EQ(map(bad), EBADF);
  bad.fd = buffer_fd;
  buffer->answer = ENODEV;
  EXPECT_EQ(map(bad), EINVAL) << "beyond the dma-buf's size, before its state";
  bad.start = 0;
  EXPECT_EQ(map(bad), ENODEV);
  buffer->answer = EOPNOTSUPP;
  EXPECT_EQ(map(bad), EOPNOTSUPP);
  ASSERT_EQ(world.ioas_map(id, kHeap, kPage, 0x10000), 0);
  EXPECT_EQ(map_fixed(id, fd, 0, kPage, 0x10000), EEXIST);
  EXPECT_TRUE(buffer->users.empty());
}

TEST_F(ChangeProcessTest, TheFileIsLookedAtWhenItsPagesArePinned) {
  const ObjectId id = world.ioas();
  EXPECT_EQ(map_fixed(id, fd, 6 * kPage, 4 * kPage, 0x10000), 0) << "beyond the end";
  ASSERT_EQ(world.ioas_unmap(id, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(map_fixed(id, fd, 0x800, 0x1000, 0x20800), 0) << "an offset inside a page, without a domain";
  ASSERT_EQ(world.ioas_unmap(id, 0x20800, 0x1000), 0);
  attach(id);
  EXPECT_EQ(map_fixed(id, fd, 6 * kPage, 4 * kPage, 0x10000), EINVAL);
  EXPECT_EQ(file->pins(), 0U);
  EXPECT_EQ(map_fixed(id, fd, 0x800, kPage, 0x10000), EINVAL) << "row 9";
  ASSERT_EQ(map_fixed(id, fd, 2 * kPage, 2 * kPage, 0x10000), 0);
  ASSERT_EQ(map_fixed(id, fd, 3 * kPage, kPage, 0x20000), 0);
  std::uint64_t one = 0, two = 0;
  EXPECT_TRUE(world.device.access(0x11010, true, one));
  EXPECT_TRUE(world.device.access(0x20010, true, two));
  EXPECT_EQ(one, two) << "the same page of the file";
  EXPECT_EQ(file->pins(), 3U);
  EXPECT_EQ(world.user.locked_pages(), 3U);
  ASSERT_EQ(world.user.descriptors().close(fd), 0);
  EXPECT_EQ(world.ioas_unmap(id, 0, 0x100000), 0);
  EXPECT_EQ(file->pins(), 0U);
}

TEST_F(ChangeProcessTest, ADmaBufIsNotPinnedAndCanBeRevoked) {
  const ObjectId id = world.ioas();
  attach(id);
  ASSERT_EQ(map_fixed(id, buffer_fd, kPage, 2 * kPage, 0x10000), 0);
  const ObjectId other = world.ioas();
  uapi::IommuIoasCopy copy{0, kFixed | kReadWrite, other, id, kPage, 0x50000, 0x11000};
  ASSERT_EQ(world.call(uapi::kIommuIoasCopy, copy), 0);
  EXPECT_EQ(world.pages_held(), 0U);
  std::uint64_t spa = 0;
  EXPECT_TRUE(world.device.access(0x11004, true, spa));
  EXPECT_EQ(spa, 0x70002004U);
  EXPECT_EQ(buffer->users.size(), 1U);
  buffer->revoke();
  EXPECT_FALSE(world.device.access(0x11004, true, spa));
  EXPECT_EQ(map_fixed(id, buffer_fd, 0, kPage, 0x20000), ENODEV);
  EXPECT_EQ(map_fixed(id, fd, 0, kPage, 0x10000), EEXIST) << "the area remains";
  ObjectId page_table = other;
  EXPECT_EQ(device_replace(*world.context, device, page_table), 0) << "skipped by a later attach";
  EXPECT_FALSE(world.device.access(0x50000, true, spa));
  EXPECT_EQ(world.ioas_unmap(id, 0x10000, 2 * kPage), 0);
  EXPECT_EQ(world.ioas_unmap(other, 0x50000, kPage), 0);
  EXPECT_TRUE(buffer->users.empty());
}

TEST_F(ChangeProcessTest, AccessesCannotUseADmaBuf) {
  const ObjectId id = world.ioas();
  ASSERT_EQ(map_fixed(id, buffer_fd, 0, kPage, 0x10000), 0);
  Access* access = nullptr;
  ASSERT_EQ(access_create(*world.context, {pagetable::AccessPins::kRevocable, [](auto, auto) {}}, access), 0);
  ASSERT_EQ(access->attach(id), 0);
  std::vector<std::uint64_t> spas;
  char byte = 0;
  EXPECT_EQ(access->pin(0x10000, kPage, false, spas), EINVAL);
  EXPECT_EQ(access->read(0x10000, &byte, 1), EINVAL);
  access_destroy(*access);
}

TEST_F(ChangeProcessTest, ChangeProcessMovesTheCharge) {
  hal::SimProcess other(world.os, world.memory, world.frames);
  other.map_frames(kArguments, 64 * kPage, hal::kUserRead | hal::kUserWrite);
  const ObjectId id = world.ioas();
  EXPECT_EQ(change_process(other), 0) << "nothing to move";
  attach(id);
  ASSERT_EQ(map_fixed(id, fd, 0, 3 * kPage, 0x10000), 0);
  const ObjectId second = world.ioas();
  uapi::IommuIoasCopy copy{0, kFixed | kReadWrite, second, id, kPage, 0x50000, 0x11000};
  ASSERT_EQ(world.call(uapi::kIommuIoasCopy, copy), 0);
  EXPECT_EQ(change_process(world.process), 0) << "the same process";
  EXPECT_EQ(world.user.locked_pages(), 3U);
  other.set_locked_limit(2);
  EXPECT_EQ(change_process(other), ENOMEM);
  EXPECT_EQ(world.user.locked_pages(), 3U);
  EXPECT_EQ(other.locked_pages(), 0U);
  other.set_locked_limit(3);
  EXPECT_EQ(change_process(other), 0) << "a shared array counts once";
  EXPECT_EQ(world.user.locked_pages() + world.user.mm_pinned_pages(), 0U);
  EXPECT_EQ(other.locked_pages(), 3U);
  EXPECT_EQ(other.mm_pinned_pages(), 3U);
  ASSERT_EQ(world.ioas_map(second, kHeap, kPage, 0x80000), 0);
  EXPECT_EQ(change_process(world.process), EINVAL) << "a mapping of user memory anywhere";
  ASSERT_EQ(world.ioas_unmap(second, 0, 0x100000), 0);
  ASSERT_EQ(world.ioas_unmap(id, 0, 0x100000), 0);
  EXPECT_EQ(other.locked_pages(), 0U) << "given back to who pays now";
  ASSERT_EQ(map_fixed(id, buffer_fd, 0, kPage, 0x10000), 0);
  EXPECT_EQ(change_process(other), EINVAL) << "a dma-buf as well";
}

TEST_F(ChangeProcessTest, WhatNobodyPaysForNobodyIsCharged) {
  hal::SimProcess other(world.os, world.memory, world.frames, 0);
  other.map_frames(kArguments, 64 * kPage, hal::kUserRead | hal::kUserWrite);
  const ObjectId id = world.ioas();
  attach(id);
  world.user.set_capability(hal::ProcessCapability::kIpcLock, true);
  ASSERT_EQ(map_fixed(id, fd, 0, 3 * kPage, 0x10000), 0);
  EXPECT_EQ(world.user.locked_pages(), 0U);
  EXPECT_EQ(world.user.mm_pinned_pages(), 3U);
  EXPECT_EQ(change_process(other), 0);
  EXPECT_EQ(other.locked_pages(), 0U);
  EXPECT_EQ(world.ioas_unmap(id, 0x10000, 3 * kPage), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
