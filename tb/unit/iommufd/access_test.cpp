// SPDX-License-Identifier: Apache-2.0
// Accesses: attach, pins, copies, the callback, and the end.
#include "iommufd/access.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

using pagetable::AccessPins;

struct AccessTest : ::testing::Test {
  void SetUp() override {
    ioas = world.ioas();
    other = world.ioas();
    AccessOptions options;
    options.pins = AccessPins::kRevocable;
    options.unmapping = [this](std::uint64_t iova, std::uint64_t bytes) {
      calls.emplace_back(iova, bytes);
      if (on_unmap) on_unmap();
    };
    ASSERT_EQ(access_create(*world.context, options, access), 0);
    ASSERT_EQ(world.ioas_map(ioas, kHeap, 4 * kPage, 0x10000), 0);
  }
  void TearDown() override {
    access_destroy(*access);
    EXPECT_EQ(world.pages_held(), 0U);
  }
  World world;
  ObjectId ioas = 0, other = 0;
  Access* access = nullptr;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> calls;
  std::function<void()> on_unmap;
  std::vector<std::uint64_t> spas;
};

TEST_F(AccessTest, AttachesToOneAtATime) {
  EXPECT_EQ(access->replace(ioas), ENOENT);
  EXPECT_EQ(access->attach(99), ENOENT);
  ASSERT_EQ(access->attach(ioas), 0);
  EXPECT_EQ(access->attach(other), EINVAL);
  EXPECT_EQ(access->replace(99), ENOENT);
  EXPECT_EQ(access->replace(ioas), 0);
  EXPECT_TRUE(calls.empty()) << "the same one: no callback";
  EXPECT_EQ(access->replace(other), 0);
  EXPECT_EQ(calls, (decltype(calls){{0, ~0ULL}}));
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(access->detach(), 0);
  EXPECT_EQ(access->detach(), 0);
  EXPECT_EQ(calls.size(), 2U);
}

TEST_F(AccessTest, PinAnswersInOrder) {
  EXPECT_EQ(access->pin(1, 0, true, spas), EINVAL);
  EXPECT_EQ(access->pin(~0ULL, 2, true, spas), EOVERFLOW);
  EXPECT_EQ(access->pin(0x10000, kPage, true, spas), ENOENT) << "no IOAS";
  ASSERT_EQ(access->attach(ioas), 0);
  EXPECT_EQ(access->pin(0x30000, kPage, true, spas), ENOENT) << "a hole";
  EXPECT_EQ(access->pin(0x10000, kPage, true, spas), 0);
  access->unpin(0x10000, kPage);
}

TEST_F(AccessTest, AnUnmapAsksForPins) {
  ASSERT_EQ(access->attach(ioas), 0);
  ASSERT_EQ(access->pin(0x10000, 2 * kPage, true, spas), 0);
  EXPECT_EQ(world.user.locked_pages(), 2U);
  on_unmap = [&] { access->unpin(0x10000, 2 * kPage); };
  EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(calls, (decltype(calls){{0x10000, 4 * kPage}}));
  on_unmap = {};
}

TEST_F(AccessTest, LeavingAsksForAllPins) {
  ASSERT_EQ(access->attach(ioas), 0);
  ASSERT_EQ(access->pin(0x10000, kPage, true, spas), 0);
  on_unmap = [&] {
    EXPECT_EQ(access->pin(0x10000, kPage, true, spas), ENOENT) << "no new ones";
    EXPECT_EQ(access->attach(other), EBUSY);
    EXPECT_EQ(access->detach(), EBUSY);
    access->unpin(0x10000, kPage);
  };
  EXPECT_EQ(access->detach(), 0);
  on_unmap = {};
}

TEST_F(AccessTest, KeepingPinsWhenLeavingIsAContradiction) {
  ASSERT_EQ(access->attach(ioas), 0);
  ASSERT_EQ(access->pin(0x10000, kPage, true, spas), 0);
  EXPECT_THROW(access->detach(), hal::Contradiction);
  access->unpin(0x10000, kPage);
}

TEST_F(AccessTest, UnpinWithoutPinIsAContradiction) {
  ASSERT_EQ(access->attach(ioas), 0);
  EXPECT_THROW(access->unpin(0x10000, kPage), hal::Contradiction);
}

TEST_F(AccessTest, APinningAccessRaisesTheAlignment) {
  ASSERT_EQ(world.ioas_map(other, kHeap, 100, 0x10000), 0);
  EXPECT_EQ(access->attach(other), EADDRINUSE);
  ASSERT_EQ(access->attach(ioas), 0);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, 100, 0x30000), EINVAL);
  EXPECT_EQ(access->replace(other), EADDRINUSE);
  EXPECT_TRUE(calls.empty());
  ASSERT_EQ(access->detach(), 0);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, 100, 0x30000), 0);
}

TEST_F(AccessTest, ReadsAndWrites) {
  ASSERT_EQ(access->attach(ioas), 0);
  const std::uint32_t out = 0x12345678;
  std::uint32_t in = 0;
  EXPECT_EQ(access->write(0x10FFE, &out, sizeof out), 0);
  ASSERT_EQ(world.user.copy_from_user(&in, kHeap + 0xFFE, sizeof in), 0);
  EXPECT_EQ(in, out);
  in = 0;
  EXPECT_EQ(access->read(0x10FFE, &in, sizeof in), 0);
  EXPECT_EQ(in, out);
  EXPECT_EQ(access->read(0x13FFE, &in, sizeof in), ENOENT);
  EXPECT_EQ(access->read(0, &in, 0), EINVAL);
}

TEST(Access, AnInternalOneForbidsTheUnmap) {
  World world;
  const ObjectId ioas = world.ioas();
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  AccessOptions options;
  options.pins = AccessPins::kLocking;
  Access* access = nullptr;
  ASSERT_EQ(access_create(*world.context, options, access), 0);
  ASSERT_EQ(access->attach(ioas), 0);
  std::vector<std::uint64_t> spas;
  ASSERT_EQ(access->pin(0x10000, kPage, false, spas), 0);
  EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), EBUSY);
  access->unpin(0x10000, kPage);
  EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), 0);
  access_destroy(*access);
}

TEST(Access, OneThatPinsNeedsACallback) {
  World world;
  Access* access = nullptr;
  AccessOptions options;
  options.pins = AccessPins::kRevocable;
  EXPECT_EQ(access_create(*world.context, options, access), EINVAL);
  ASSERT_EQ(access_create(*world.context, {}, access), 0);
  std::vector<std::uint64_t> spas;
  EXPECT_EQ(access->pin(0x1000, kPage, false, spas), EINVAL) << "made without pins";
  access_destroy(*access);
}

TEST(Access, KeepsTheContext) {
  World world;
  Access* access = nullptr;
  ASSERT_EQ(access_create(*world.context, {}, access), 0);
  ASSERT_EQ(access->attach(world.ioas()), 0);
  const std::weak_ptr<Context> alive = world.context;
  world.context.reset();
  EXPECT_FALSE(alive.expired());
  access_destroy(*access);
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace iommusim::iommufd
