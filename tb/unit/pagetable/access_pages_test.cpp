// SPDX-License-Identifier: Apache-2.0
// In-kernel users of an address space: pins, copies, and what an unmap does about them.
#include <gtest/gtest.h>

#include <string>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

struct Listener final : AccessListener {
  bool try_enter() override { return alive; }
  void leave() override { ++left; }
  void unmapping(std::uint64_t iova, std::uint64_t bytes) override {
    ++called;
    if (on_unmap) on_unmap({iova, iova + (bytes - 1)});
  }
  bool alive = true;
  int called = 0;
  int left = 0;
  std::function<void(const Interval&)> on_unmap;
};

struct AccessPages : ::testing::Test {
  void SetUp() override {
    ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, 0x10000), 0);
    ASSERT_EQ(rig.map(space, kHeap + (1 << 20), 4 * kPage, 0x14000), 0);
    ASSERT_EQ(space.join(listener, AccessPins::kRevocable, key), 0);
  }
  void TearDown() override { space.leave(key); }
  int pin(const Interval& range, bool write = true) { return space.pin(range, write, AccessPins::kRevocable, spas); }
  void unpin(const Interval& range) { space.unpin(range, AccessPins::kRevocable); }

  Rig rig;
  IoPagetable space{rig.os};
  Listener listener;
  std::uint64_t key = 0;
  std::vector<std::uint64_t> spas;
};

TEST_F(AccessPages, PinsAcrossAreas) {
  ASSERT_EQ(pin({0x12000, 0x15FFF}), 0);
  EXPECT_EQ(spas.size(), 4U);
  EXPECT_EQ(rig.user.pinned_pages(), 4U);
  EXPECT_EQ(rig.user.locked_pages(), 4U);
  unpin({0x12000, 0x15FFF});
  EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U);
}

TEST_F(AccessPages, AHoleReleasesWhatCameBefore) {
  spas = {42};
  EXPECT_EQ(pin({0x14000, 0x18FFF}), ENOENT);
  EXPECT_EQ(spas, std::vector<std::uint64_t>{42});
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
  EXPECT_EQ(rig.unmap(space, 0x14000, 4 * kPage), 0);
}

TEST_F(AccessPages, ErrorsComeAreaByArea) {
  ASSERT_EQ(rig.map(space, kHeap, kPage, 0x30000, domain::kRead), 0);
  ASSERT_EQ(rig.map(space, kHeap, kPage, 0x40000, domain::kWrite), 0);
  EXPECT_EQ(pin({0x30000, 0x30FFF}, true), EPERM);
  EXPECT_EQ(pin({0x40000, 0x40FFF}, false), EPERM);
  EXPECT_EQ(pin({0x30800, 0x30FFF}, true), EINVAL);  // R6.2: the start is not at a page of the source
  ASSERT_EQ(rig.map(space, 0xdead0000, kPage, 0x50000), 0);
  EXPECT_EQ(pin({0x50000, 0x50FFF}), EFAULT);
  rig.user.set_locked_limit(2);
  EXPECT_EQ(pin({0x10000, 0x13FFF}), ENOMEM);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

TEST_F(AccessPages, AnUnmapAsksForThePins) {
  ASSERT_EQ(pin({0x10000, 0x10FFF}), 0);
  listener.on_unmap = [&](const Interval& range) {
    EXPECT_EQ(range, (Interval{0x10000, 0x13FFF}));
    EXPECT_EQ(pin({0x11000, 0x11FFF}), EINVAL) << "it is being unmapped";
    unpin({0x10000, 0x10FFF});
  };
  EXPECT_EQ(rig.unmap(space, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(listener.called, 1);
  EXPECT_EQ(listener.left, 1);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

TEST_F(AccessPages, AnUnmapGivesUpInTheEnd) {
  ASSERT_EQ(pin({0x14000, 0x14FFF}), 0);
  std::uint64_t removed = 0;
  EXPECT_EQ(space.unmap({0x10000, 0x17FFF}, removed), EDEADLOCK);
  EXPECT_EQ(removed, 4 * kPage) << "the area below is gone";
  EXPECT_EQ(listener.called, 100);
  unpin({0x14000, 0x14FFF});
  EXPECT_EQ(rig.unmap(space, 0x14000, 4 * kPage), 0);
}

TEST_F(AccessPages, ALockedAreaIsBusy) {
  ASSERT_EQ(space.pin({0x10000, 0x10FFF}, false, AccessPins::kLocking, spas), 0);
  std::uint64_t removed = 0;
  EXPECT_EQ(space.unmap({0x10000, 0x13FFF}, removed), EBUSY);
  EXPECT_EQ(space.unmap({0x10000, 0x10FFF}, removed), EBUSY) << "locked comes before partly covered";
  EXPECT_EQ(listener.called, 0);
  space.unpin({0x10000, 0x10FFF}, AccessPins::kLocking);
  EXPECT_EQ(rig.unmap(space, 0x10000, 4 * kPage), 0);
}

TEST_F(AccessPages, CopiesUnalignedWithoutLeavingPins) {
  const std::string text = "across a page and an area";
  ASSERT_EQ(space.copy(rig.memory, {0x13FF8, 0x13FF8 + text.size() - 1}, const_cast<char*>(text.data()), true), 0);
  std::string back(text.size(), ' ');
  ASSERT_EQ(rig.user.copy_from_user(back.data(), kHeap + 4 * kPage - 8, 8), 0);
  ASSERT_EQ(rig.user.copy_from_user(back.data() + 8, kHeap + (1 << 20), text.size() - 8), 0);
  EXPECT_EQ(back, text);
  std::string again(text.size(), ' ');
  ASSERT_EQ(space.copy(rig.memory, {0x13FF8, 0x13FF8 + text.size() - 1}, again.data(), false), 0);
  EXPECT_EQ(again, text);
  EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U);
  EXPECT_EQ(space.copy(rig.memory, {0x17FFF, 0x18000}, again.data(), false), ENOENT);
}

TEST_F(AccessPages, APinningAccessNeedsPages) {
  EXPECT_EQ(rig.map(space, kHeap, 0x800, 0x20000), EINVAL);
  IoPagetable other(rig.os);
  ASSERT_EQ(rig.map(other, kHeap, 0x800, 0x20000), 0);
  std::uint64_t other_key = 0;
  EXPECT_EQ(other.join(listener, AccessPins::kRevocable, other_key), EADDRINUSE);
  ASSERT_EQ(other.join(listener, AccessPins::kNone, other_key), 0);
  other.leave(other_key);
}

TEST_F(AccessPages, ADomainUsesTheSamePin) {
  ASSERT_EQ(pin({0x10000, 0x13FFF}), 0);
  const auto domain = rig.make_domain();
  ASSERT_EQ(space.add_domain(*domain), 0);
  EXPECT_EQ(rig.user.locked_pages(), 8U);
  space.remove_domain(*domain);
  EXPECT_EQ(rig.user.locked_pages(), 4U);
  unpin({0x10000, 0x13FFF});
}

}  // namespace
}  // namespace iommusim::pagetable
