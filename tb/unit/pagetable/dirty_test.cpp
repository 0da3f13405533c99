// SPDX-License-Identifier: Apache-2.0
// Dirty state over areas (R7): only mapped parts are read, a start finds everything clean, clearing invalidates.
#include <gtest/gtest.h>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

struct Sink final : domain::DirtySink {
  void dirty(std::uint64_t iova, std::uint64_t bytes) override { found.push_back({iova, iova + (bytes - 1)}); }
  std::vector<Interval> found;
};

struct DirtyTest : ::testing::Test {
  DirtyTest() : domain(rig.iommu, 0, rig.iommu.options(), domain::kTracksDirty) {}
  std::vector<Interval> read(const Interval& range, bool clear) {
    Sink sink;
    space.read_dirty(domain, range, clear, sink);
    return sink.found;
  }
  Rig rig;
  IoPagetable space{rig.os};
  drivers::MockDomain domain;
};

TEST_F(DirtyTest, ReadsClearsAndStartsClean) {
  ASSERT_EQ(space.add_domain(domain), 0);
  ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, 0x10000), 0);
  ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, 0x20000), 0);
  ASSERT_EQ(space.track_dirty(domain, true), 0);
  ASSERT_EQ(space.track_dirty(domain, true), 0) << "twice is fine";
  EXPECT_TRUE(read({0, kMaxAddress}, true).empty());
  domain.mark_dirty(0x11000);
  domain.mark_dirty(0x23000);
  const std::vector<Interval> both{{0x11000, 0x11FFF}, {0x23000, 0x23FFF}};
  EXPECT_EQ(read({0, kMaxAddress}, false), both);
  EXPECT_EQ(read({0, kMaxAddress}, false), both) << "reading leaves it alone";
  const std::uint64_t syncs = rig.iommu.calls(drivers::MockCall::kSync);
  EXPECT_EQ(read({0x20000, 0x23FFF}, true), (std::vector<Interval>{{0x23000, 0x23FFF}}));
  EXPECT_EQ(rig.iommu.calls(drivers::MockCall::kSync), syncs + 1) << "R7.5";
  EXPECT_EQ(read({0, kMaxAddress}, false), (std::vector<Interval>{{0x11000, 0x11FFF}}));
  ASSERT_EQ(space.track_dirty(domain, false), 0);
  ASSERT_EQ(space.track_dirty(domain, true), 0);
  EXPECT_TRUE(read({0, kMaxAddress}, false).empty()) << "R7.2";
  space.remove_domain(domain);
}

}  // namespace
}  // namespace iommusim::pagetable
