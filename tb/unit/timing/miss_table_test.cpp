// SPDX-License-Identifier: Apache-2.0
#include "timing/miss_table.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

TEST(MissTable, MergesOnTheSameKeyOnly) {
  MissTable<ContextKey> table(2, true);
  EXPECT_EQ(table.find({1}), kNoSlot);
  const std::uint32_t entry = table.open({1});
  EXPECT_EQ(table.find({1}), entry);
  EXPECT_EQ(table.find({2}), kNoSlot);
  table.close(entry);
  EXPECT_EQ(table.find({1}), kNoSlot);
}

TEST(MissTable, IsFullAtItsDepth) {
  MissTable<ContextKey> table(2, true);
  table.open({1});
  EXPECT_FALSE(table.full());
  const std::uint32_t second = table.open({2});
  EXPECT_TRUE(table.full());
  table.close(second);
  EXPECT_FALSE(table.full());
}

TEST(MissTable, WithoutMergingFindsNothing) {
  MissTable<ContextKey> table(2, false);
  table.open({1});
  EXPECT_EQ(table.find({1}), kNoSlot);
}

TEST(SlotList, KeepsTheOrderOfArrival) {
  std::vector<Slot> slots(3);
  SlotList list;
  for (std::uint32_t i : {2U, 0U, 1U}) list.push(slots, i);
  EXPECT_EQ(list.pop(slots), 2U);
  EXPECT_EQ(list.pop(slots), 0U);
  list.push(slots, 2);
  EXPECT_EQ(list.pop(slots), 1U);
  EXPECT_EQ(list.pop(slots), 2U);
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace iommusim::timing
