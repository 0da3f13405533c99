// SPDX-License-Identifier: Apache-2.0
// Pins are counted, charged once, and rolled back when something on the way fails.
#include "pagetable/page_array.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

struct Counts {
  std::uint64_t pins = 0, unpins = 0, charged = 0, uncharged = 0;
};

struct PageArrayTest : ::testing::Test {
  void watch(Counts& counts) {
    rig.process.set_hook([&counts](ProcessCall call, std::uint64_t value) {
      if (call == ProcessCall::kPin) ++counts.pins;
      if (call == ProcessCall::kUnpin) ++counts.unpins;
      if (call == ProcessCall::kCharge) counts.charged += value;
      if (call == ProcessCall::kUncharge) counts.uncharged += value;
      return 0;
    });
  }
  int acquire(PageArray& pages, std::uint64_t first, std::uint64_t last) {
    const std::lock_guard guard(pages.mutex());
    return pages.acquire_locked(first, last);
  }
  void release(PageArray& pages, std::uint64_t first, std::uint64_t last) {
    const std::lock_guard guard(pages.mutex());
    pages.release_locked(first, last);
  }
  Rig rig;
};

TEST_F(PageArrayTest, PinsAPageOnceForAllItsUsers) {
  Counts counts;
  watch(counts);
  PageArray pages(rig.os, rig.process, kHeap, 8 * kPage, true);
  ASSERT_EQ(acquire(pages, 0, 3), 0);
  ASSERT_EQ(acquire(pages, 2, 5), 0);
  EXPECT_EQ(counts.pins, 6U);
  EXPECT_EQ(counts.charged, 6U);
  release(pages, 0, 3);
  EXPECT_EQ(rig.user.pinned_pages(), 4U);
  EXPECT_EQ(rig.user.locked_pages(), 4U);
  release(pages, 2, 5);
  EXPECT_EQ(counts.unpins, 6U);
  EXPECT_EQ(counts.uncharged, 6U);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

TEST_F(PageArrayTest, CrossesChunks) {
  PageArray pages(rig.os, rig.process, kHeap, 1300 * kPage, true);
  ASSERT_EQ(acquire(pages, 500, 1299), 0);
  EXPECT_EQ(rig.user.pinned_pages(), 800U);
  release(pages, 500, 1299);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
  EXPECT_EQ(rig.user.locked_pages(), 0U);
}

TEST_F(PageArrayTest, CostsNothingForItsLength) {
  PageArray pages(rig.os, rig.process, 0, kMaxAddress - kPage, true);
  EXPECT_EQ(acquire(pages, kHeap / kPage, kHeap / kPage), 0);
  release(pages, kHeap / kPage, kHeap / kPage);
}

TEST_F(PageArrayTest, AHoleInTheMemoryRollsBack) {
  PageArray pages(rig.os, rig.process, kHeap + (31 << 20), 2 << 20, true);  // the second MiB does not exist
  EXPECT_EQ(acquire(pages, 0, 300), EFAULT);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
  EXPECT_EQ(rig.user.locked_pages(), 0U);
}

TEST_F(PageArrayTest, TheLimitRollsBackAndKeepsOtherUsers) {
  rig.user.set_locked_limit(600);
  PageArray pages(rig.os, rig.process, kHeap, 1024 * kPage, true);
  ASSERT_EQ(acquire(pages, 10, 20), 0);
  EXPECT_EQ(acquire(pages, 0, 1023), ENOMEM);  // the second batch of 512 is too much
  EXPECT_EQ(rig.user.pinned_pages(), 11U);
  EXPECT_EQ(rig.user.locked_pages(), 11U);
  release(pages, 10, 20);
}

TEST_F(PageArrayTest, PinsForWritingOnlyIfMappedSo) {
  PageArray for_read(rig.os, rig.process, kReadOnly, kPage, false);
  PageArray for_write(rig.os, rig.process, kReadOnly, kPage, true);
  EXPECT_EQ(acquire(for_read, 0, 0), 0);
  EXPECT_EQ(acquire(for_write, 0, 0), EFAULT);
  release(for_read, 0, 0);
}

TEST_F(PageArrayTest, RunsFollowPhysicalContiguity) {
  PageArray pages(rig.os, rig.process, kLinear + 0x800, 4 * kPage, true);
  ASSERT_EQ(acquire(pages, 0, 4), 0);
  const auto run = pages.run_locked(0x800, 4 * kPage);
  EXPECT_EQ(run.spa, kLinearSpa + 0x800);
  EXPECT_EQ(run.bytes, 4 * kPage);
  EXPECT_EQ(pages.run_locked(0x800, 0x900).bytes, 0x900U);
  release(pages, 0, 4);
}

TEST_F(PageArrayTest, UseOfWhatNobodyAcquiredIsAContradiction) {
  PageArray pages(rig.os, rig.process, kHeap, 4 * kPage, true);
  EXPECT_THROW(pages.run_locked(0, 1), hal::Contradiction);
  EXPECT_THROW(acquire(pages, 0, 4), hal::Contradiction);  // beyond the end
}

}  // namespace
}  // namespace iommusim::pagetable
