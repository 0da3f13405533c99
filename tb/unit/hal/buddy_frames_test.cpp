// SPDX-License-Identifier: Apache-2.0
// BuddyFrames: alignment, no overlap, zeroing, joining of halves, exhaustion, wrong frees.
#include "hal/buddy_frames.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <new>

#include "hal/contradiction.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::hal {
namespace {

struct BuddyTest : ::testing::Test {
  ThreadOs os;
  SparseMemory memory;
};

TEST_F(BuddyTest, HandsOutZeroedMemoryAgain) {
  BuddyFrames frames(os, memory, 0x100000, 0x10000);
  const std::uint64_t first = frames.alloc(0);
  memory.store64(first + 8, 77);
  frames.free(first, 0);
  const std::uint64_t again = frames.alloc(0);
  EXPECT_EQ(again, first);
  EXPECT_EQ(memory.load64(again + 8), 0U);
}

TEST_F(BuddyTest, AHostWithoutMemoryCostsNoFrame) {
  struct Short final : Memory {
    void read(std::uint64_t, void*, std::size_t) override {}
    void write(std::uint64_t, const void*, std::size_t) override {
      if (none) throw std::bad_alloc();
    }
    std::uint64_t load64(std::uint64_t) override { return 0; }
    void store64(std::uint64_t, std::uint64_t) override {}
    bool compare_exchange64(std::uint64_t, std::uint64_t&, std::uint64_t) override { return false; }
    void barrier() override {}
    bool none = true;
  } short_memory;
  BuddyFrames frames(os, short_memory, 0x100000, 0x10000);
  EXPECT_EQ(frames.alloc(1), 0U);
  EXPECT_EQ(frames.frames_in_use(), 0U);
  short_memory.none = false;
  EXPECT_EQ(frames.alloc(4), 0x100000U) << "the block is whole again";
}

TEST_F(BuddyTest, IsExhaustedExactlyAtItsSizeAndJoinsHalves) {
  BuddyFrames frames(os, memory, 0x3000, 0x5000);  // one frame at 0x3000, four at 0x4000
  EXPECT_EQ(frames.alloc(2), 0x4000U);
  EXPECT_EQ(frames.alloc(0), 0x3000U);
  EXPECT_EQ(frames.alloc(0), 0U);
  frames.free(0x4000, 2);
  std::vector<std::uint64_t> singles;
  for (int i = 0; i < 4; ++i) singles.push_back(frames.alloc(0));
  EXPECT_EQ(frames.alloc(0), 0U);
  EXPECT_EQ(frames.frames_in_use(), 5U);
  for (const auto frame : singles) frames.free(frame, 0);
  EXPECT_EQ(frames.alloc(2), 0x4000U);
}

TEST_F(BuddyTest, NeverHandsOutFrameZero) {
  BuddyFrames frames(os, memory, 0, 0x2000);
  EXPECT_EQ(frames.alloc(0), 0x1000U);
  EXPECT_EQ(frames.alloc(0), 0U);
}

TEST_F(BuddyTest, AWrongFreeIsAContradiction) {
  BuddyFrames frames(os, memory, 0x100000, 0x10000);
  const std::uint64_t block = frames.alloc(1);
  EXPECT_THROW(frames.free(block, 0), Contradiction);
  EXPECT_THROW(frames.free(block + 0x1000, 0), Contradiction);
  frames.free(block, 1);
  EXPECT_THROW(frames.free(block, 1), Contradiction);
}

RC_GTEST_FIXTURE_PROP(BuddyTest, BlocksAreAlignedDisjointAndAllComeBack, ()) {
  BuddyFrames frames(os, memory, 0x105000, 0x7B000);
  std::map<std::uint64_t, unsigned> blocks;
  const auto steps = *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::inRange<std::uint8_t>(0, 10));
  std::uint64_t in_use = 0;
  for (const auto step : steps) {
    if (step >= 5 && !blocks.empty()) {
      auto victim = blocks.begin();
      std::advance(victim, step % blocks.size());
      frames.free(victim->first, victim->second);
      in_use -= 1ULL << victim->second;
      blocks.erase(victim);
    } else if (const unsigned order = step % 5; const std::uint64_t spa = frames.alloc(order)) {
      const std::uint64_t bytes = 4096ULL << order;
      RC_ASSERT(spa % bytes == 0U);
      RC_ASSERT((spa >= 0x105000U && spa + bytes <= 0x180000U));
      const auto next = blocks.lower_bound(spa);
      RC_ASSERT((next == blocks.end() || next->first >= spa + bytes));
      RC_ASSERT((next == blocks.begin() || std::prev(next)->first + (4096ULL << std::prev(next)->second) <= spa));
      blocks.emplace(spa, order);
      in_use += 1ULL << order;
    }
    RC_ASSERT(frames.frames_in_use() == in_use);
  }
}

}  // namespace
}  // namespace iommusim::hal
