// SPDX-License-Identifier: Apache-2.0
// Cuts (R2.23): each answer in its order, and that the halves live on their own.
#include <gtest/gtest.h>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

struct SplitTest : ::testing::Test {
  struct Listener final : AccessListener {
    bool try_enter() override { return true; }
    void leave() override {}
    void unmapping(std::uint64_t, std::uint64_t) override {}
  };
  Rig rig;
  IoPagetable space{rig.os};
};

TEST_F(SplitTest, CutsBothEndsAndTheMiddleCanBeUnmapped) {
  ASSERT_EQ(rig.map(space, kLinear, 8 * kPage, 0x10000), 0);
  EXPECT_EQ(space.cut({0x12000, 0x13FFF}), 0);
  EXPECT_EQ(rig.unmap(space, 0x12000, 2 * kPage), 0);
  EXPECT_EQ(rig.unmap(space, 0x10000, 2 * kPage), 0);
  EXPECT_EQ(rig.unmap(space, 0x14000, 4 * kPage), 0);
}

TEST_F(SplitTest, BordersHolesAndTheEndsOfTheSpaceNeedNothing) {
  ASSERT_EQ(rig.map(space, kLinear, 2 * kPage, 0x10000), 0);
  EXPECT_EQ(space.cut({0x10000, 0x11FFF}), 0);
  EXPECT_EQ(space.cut({0x10001, 0x20000}), 0) << "the first byte is a border, too";
  EXPECT_EQ(space.cut({0, kMaxAddress}), 0);
  EXPECT_EQ(rig.unmap(space, 0x10000, 2 * kPage), 0) << "in one piece";
}

TEST_F(SplitTest, TheFirstCutStaysWhenTheSecondFails) {
  ASSERT_EQ(space.set_huge_pages(false), 0);
  ASSERT_EQ(rig.map(space, kLinear, 8 * kPage, 0x10000), 0);
  EXPECT_EQ(space.cut({0x12800, 0x13FFF}), EINVAL) << "not aligned";
  EXPECT_EQ(rig.unmap(space, 0x14000, 4 * kPage), 0);
  EXPECT_EQ(rig.unmap(space, 0x10000, 4 * kPage), 0);
}

TEST_F(SplitTest, FilledAreasNeedSmallPages) {
  const auto domain = rig.make_domain();
  ASSERT_EQ(space.add_domain(*domain), 0);
  ASSERT_EQ(rig.map(space, kLinear, 4 * kPage, 0x10000), 0);
  EXPECT_EQ(space.cut({0x11000, 0x11FFF}), EINVAL);
  ASSERT_EQ(rig.unmap(space, 0x10000, 4 * kPage), 0);
  ASSERT_EQ(space.set_huge_pages(false), 0);
  for (const std::uint64_t pages : {4ULL, 1030ULL}) {
    ASSERT_EQ(rig.map(space, kLinear, pages * kPage, 0x10000), 0);
    EXPECT_EQ(space.cut({0x11000, 0x11FFF}), 0);
    EXPECT_EQ(rig.unmap(space, 0x11000, kPage), 0);
    EXPECT_EQ(rig.user.pinned_pages(), pages - 1) << "the page in the middle alone";
    std::uint64_t spa = 0;
    EXPECT_FALSE(domain->iova_to_phys(0x11000, spa));
    EXPECT_TRUE(domain->iova_to_phys(0x12000, spa));
    EXPECT_EQ(spa, kLinearSpa + 2 * kPage);
    EXPECT_EQ(rig.unmap(space, 0, 0x10000000), 0);
  }
  space.remove_domain(*domain);
  EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U);
}

TEST_F(SplitTest, AnAreaWithPinsIsNotCut) {
  Listener listener;
  std::uint64_t key = 0;
  ASSERT_EQ(space.join(listener, AccessPins::kRevocable, key), 0);
  ASSERT_EQ(rig.map(space, kLinear, 4 * kPage, 0x10000), 0);
  std::vector<std::uint64_t> spas;
  ASSERT_EQ(space.pin({0x10000, 0x10FFF}, false, AccessPins::kRevocable, spas), 0);
  EXPECT_EQ(space.cut({0x12800, 0x12FFF}), EINVAL);
  EXPECT_EQ(space.cut({0x11000, 0x12FFF}), EINVAL);
  std::uint64_t removed = 0;
  EXPECT_EQ(space.unmap({0x10000, 0x13FFF}, removed), EDEADLOCK) << "the listener keeps its pin";
  EXPECT_EQ(space.cut({0x12800, 0x12FFF}), EBUSY) << "being unmapped; before the alignment";
  space.unpin({0x10000, 0x10FFF}, AccessPins::kRevocable);
  EXPECT_EQ(rig.unmap(space, 0x10000, 4 * kPage), 0);
  space.leave(key);
}

}  // namespace
}  // namespace iommusim::pagetable
