// SPDX-License-Identifier: Apache-2.0
// MockPageTable: leaves that fill several entries, stale leaves under new ones, dirty leaves, the ends of the space.
#include "drivers/mock_page_table.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace iommusim::drivers {
namespace {

constexpr unsigned kAllowAll = domain::kRead | domain::kWrite;
constexpr std::uint64_t kMiB = 1 << 20;

struct Sink final : domain::DirtySink {
  void dirty(std::uint64_t iova, std::uint64_t bytes) override {
    sum += bytes;
    first = std::min(first, iova);
    last = std::max(last, iova + (bytes - 1));
  }
  std::uint64_t sum = 0, first = ~0ULL, last = 0;
};

struct MockPageTableTest : ::testing::Test {
  Sink read(std::uint64_t start, std::uint64_t last, bool clear) {
    Sink sink;
    domain::Gather gather;
    table.read_dirty(start, last, clear, sink, gather);
    EXPECT_EQ(gather.empty(), !clear || sink.sum == 0);
    return sink;
  }
  MockPageTable table{MockFormat{4096 | kMiB, 0, ~0ULL}};
};

TEST_F(MockPageTableTest, ALargeLeafFillsManyEntriesAndGoesWhole) {
  ASSERT_EQ(table.map(kMiB - 4096, 3 * kMiB - 4096, 2 * kMiB + 8192, kAllowAll), 0);
  MockPageTable::Leaf leaf;
  ASSERT_TRUE(table.find(kMiB + 0x345678 % kMiB, leaf));
  EXPECT_EQ(leaf.bytes, kMiB);
  EXPECT_EQ(leaf.iova, kMiB);
  EXPECT_EQ(leaf.spa, 3 * kMiB);
  ASSERT_TRUE(table.find(kMiB - 1, leaf));
  EXPECT_EQ(leaf.bytes, 4096U);
  ASSERT_TRUE(table.find(3 * kMiB, leaf));
  EXPECT_EQ(leaf.bytes, 4096U);
  EXPECT_EQ(table.map(2 * kMiB + 4096, 0, 4096, kAllowAll), EEXIST);
  domain::Gather gather;
  EXPECT_EQ(table.unmap(2 * kMiB + 4096, 2 * kMiB + 4096, gather), kMiB);
  EXPECT_EQ(gather.start, 2 * kMiB);
  EXPECT_EQ(gather.last, 3 * kMiB - 1);
  EXPECT_EQ(table.mapped_bytes(), kMiB + 8192);
  EXPECT_EQ(table.stale_leaves(), 1U);
  table.forget(3 * kMiB - 1, 3 * kMiB - 1);
  EXPECT_EQ(table.stale_leaves(), 0U);
}

TEST_F(MockPageTableTest, ReachesTheLastByteOfTheSpace) {
  ASSERT_EQ(table.map(~0ULL - 8191, 0x10000, 8192, kAllowAll), 0);
  std::uint64_t spa = 0;
  EXPECT_TRUE(table.translate(~0ULL, domain::kWrite, spa));
  EXPECT_EQ(spa, 0x11FFFU);
  domain::Gather gather;
  EXPECT_EQ(table.unmap(0, ~0ULL, gather), 8192U);
  EXPECT_EQ(gather.last, ~0ULL);
  table.forget(gather.start, gather.last);
  EXPECT_FALSE(table.translate(~0ULL, 0, spa));
}

TEST_F(MockPageTableTest, AStaleLeafStaysUnderANewOne) {
  ASSERT_EQ(table.map(0, kMiB, kMiB, kAllowAll), 0);
  domain::Gather gather;
  (void)table.unmap(0, kMiB - 1, gather);
  ASSERT_EQ(table.map(0x2000, 0x9000, 0x1000, domain::kRead), 0);
  std::uint64_t spa = 0;
  EXPECT_TRUE(table.translate(0x2010, domain::kRead, spa));
  EXPECT_EQ(spa, 0x9010U);
  EXPECT_TRUE(table.translate(0x2010, domain::kWrite, spa)) << "the old leaf allows it, and may still be cached";
  EXPECT_EQ(spa, kMiB + 0x2010);
  EXPECT_TRUE(table.reaches(kMiB + 0x2000));
  table.forget(gather.start, gather.last);
  EXPECT_FALSE(table.translate(0x2010, domain::kWrite, spa));
  EXPECT_FALSE(table.reaches(kMiB + 0x2000));
  EXPECT_TRUE(table.reaches(0x9000));
}

TEST_F(MockPageTableTest, AWrittenLeafIsDirtyWhole) {
  ASSERT_EQ(table.map(0, 0, 2 * kMiB + 4096, kAllowAll), 0);
  EXPECT_FALSE(table.mark_dirty(3 * kMiB));
  EXPECT_TRUE(table.mark_dirty(kMiB + 5 * 4096));
  EXPECT_EQ(read(0, kMiB - 1, true).sum, 0U);
  EXPECT_EQ(read(0, 3 * kMiB, false).sum, kMiB);
  const Sink part = read(kMiB + 0x3000, kMiB + 0x4FFF, false);
  EXPECT_EQ(part.first, kMiB + 0x3000) << "cut to what was asked";
  EXPECT_EQ(part.last, kMiB + 0x4FFF);
  EXPECT_EQ(read(0, ~0ULL, true).sum, kMiB);
  EXPECT_EQ(read(0, ~0ULL, true).sum, 0U);
}

TEST_F(MockPageTableTest, ADirtyMarkGoesWithItsLeaf) {
  ASSERT_EQ(table.map(0x1000, 0x1000, 0x3000, kAllowAll), 0);
  EXPECT_TRUE(table.mark_dirty(0x2000));
  domain::Gather gather;
  (void)table.unmap(0x2000, 0x2FFF, gather);
  ASSERT_EQ(table.map(0x2000, 0x2000, 0x1000, kAllowAll), 0);
  EXPECT_EQ(read(0, ~0ULL, false).sum, 0U);
}

}  // namespace
}  // namespace iommusim::drivers
