// SPDX-License-Identifier: Apache-2.0
// Bits in a program's memory: which, or-ed, and nothing but the bytes that have some.
#include "iommufd/dirty_bitmap.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

struct DirtyBitmapTest : ::testing::Test {
  std::vector<unsigned char> at(std::uint64_t va, std::size_t bytes) {
    std::vector<unsigned char> out(bytes);
    EXPECT_EQ(world.user.copy_from_user(out.data(), va, bytes), 0);
    return out;
  }
  World world;
};

TEST_F(DirtyBitmapTest, BitsCountFromTheRequestedIova) {
  const unsigned char old[4] = {0x80, 0, 0, 0xFF};
  ASSERT_EQ(world.user.copy_to_user(kHeap + 3, old, 4), 0);
  DirtyBitmap bitmap(world.process, kHeap + 3, {0x3000, 0x3000 + 32 * kPage - 1}, kPage);
  EXPECT_EQ(bitmap.check(), 0);
  bitmap.dirty(0x3000, kPage);
  bitmap.dirty(0x2000, 2 * kPage);                  // reaches in from below
  bitmap.dirty(0x3000 + 9 * kPage + 0x800, 0x800);  // part of a unit
  bitmap.dirty(0x3000 + 14 * kPage, 3 * kPage);
  bitmap.dirty(0x3000 + 40 * kPage, kPage);  // outside
  bitmap.flush();
  EXPECT_EQ(at(kHeap + 3, 4), (std::vector<unsigned char>{0x81, 0xC2, 0x01, 0xFF}));
}

TEST_F(DirtyBitmapTest, AUnitThatIsNoPowerOfTwoCountsAsItsLowestBit) {
  DirtyBitmap bitmap(world.process, kHeap, {0, 6 * kPage - 1}, 3 * kPage);
  bitmap.dirty(5 * kPage, kPage);
  bitmap.flush();
  EXPECT_EQ(at(kHeap, 1)[0], 0x20);
}

TEST_F(DirtyBitmapTest, OnlyBytesWithBitsAreTouched) {
  std::vector<std::uint64_t> written;
  world.process.set_hook([&](ProcessCall call, std::uint64_t va) {
    if (call == ProcessCall::kCopyToUser) written.push_back(va);
    return 0;
  });
  DirtyBitmap bitmap(world.process, kHeap, {0, (1ULL << 30) - 1}, kPage);
  bitmap.dirty(100 * 8 * kPage, kPage);
  bitmap.dirty(5000 * 8 * kPage, kPage);  // another window
  bitmap.dirty(8 * kPage, kPage);
  bitmap.flush();
  EXPECT_EQ(written, (std::vector<std::uint64_t>{kHeap + 100, kHeap + 5000, kHeap + 1}));
}

TEST_F(DirtyBitmapTest, AllOfItMustBeWritable) {
  EXPECT_EQ(DirtyBitmap(world.process, kReadOnly, {0, kPage - 1}, kPage).check(), ENOMEM);
  EXPECT_EQ(DirtyBitmap(world.process, 0xdead0000, {0, kPage - 1}, kPage).check(), ENOMEM);
  EXPECT_EQ(DirtyBitmap(world.process, kHeap, {0, ~0ULL}, kPage).check(), ENOMEM);
  EXPECT_EQ(DirtyBitmap(world.process, ~0ULL - 5, {0, (1 << 20) - 1}, kPage).check(), ENOMEM);
  EXPECT_EQ(DirtyBitmap(world.process, kHeap + (32 << 20) - 1, {0, 8 * kPage - 1}, kPage).check(), 0);
  EXPECT_EQ(DirtyBitmap(world.process, kHeap + (32 << 20) - 1, {0, 9 * kPage - 1}, kPage).check(), ENOMEM);
  EXPECT_EQ(world.pages_held(), 0U);
}

}  // namespace
}  // namespace iommusim::iommufd
