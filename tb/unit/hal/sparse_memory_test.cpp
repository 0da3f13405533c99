// SPDX-License-Identifier: Apache-2.0
// SparseMemory: reads back what was written, at any alignment; neighbours in one word do not disturb each other.
#include "hal/sparse_memory.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <thread>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

TEST(SparseMemory, IsZeroAndCostsNothingUntilWritten) {
  SparseMemory memory;
  std::uint64_t value = 1;
  memory.read(0x1234567000, &value, 8);
  EXPECT_EQ(value, 0U);
  EXPECT_EQ(memory.load64((1ULL << 56) - 8), 0U);
  EXPECT_EQ(memory.pages_touched(), 0U);
  memory.store64((1ULL << 56) - 8, 7);
  EXPECT_EQ(memory.load64((1ULL << 56) - 8), 7U);
  EXPECT_EQ(memory.pages_touched(), 1U);
}

TEST(SparseMemory, RefusesWhatNoBusWouldCarry) {
  SparseMemory memory;
  EXPECT_THROW(memory.load64(1ULL << 56), Contradiction);
  EXPECT_THROW(memory.store64(4, 0), Contradiction);
}

TEST(SparseMemory, CompareExchangeTellsWhatItFound) {
  SparseMemory memory;
  memory.store64(64, 5);
  std::uint64_t expected = 4;
  EXPECT_FALSE(memory.compare_exchange64(64, expected, 9));
  EXPECT_EQ(expected, 5U);
  EXPECT_TRUE(memory.compare_exchange64(64, expected, 9));
  EXPECT_EQ(memory.load64(64), 9U);
}

RC_GTEST_PROP(SparseMemory, ReadsBackAnyWrites, ()) {
  SparseMemory memory;
  std::map<std::uint64_t, unsigned char> model;
  const auto writes = *rc::gen::container<std::vector<std::pair<std::uint16_t, std::vector<unsigned char>>>>(
      rc::gen::pair(rc::gen::inRange<std::uint16_t>(0, 9000), rc::gen::arbitrary<std::vector<unsigned char>>()));
  for (const auto& [at, bytes] : writes) {
    memory.write(at, bytes.data(), bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) model[at + i] = bytes[i];
  }
  std::vector<unsigned char> all(12000);
  memory.read(0, all.data(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(all[i] == (model.count(i) ? model[i] : 0));
}

TEST(SparseMemory, NeighbouringBytesAreIndependentAcrossThreads) {
  SparseMemory memory;
  std::vector<std::thread> threads;
  for (unsigned char t = 0; t < 4; ++t)
    threads.emplace_back([&memory, t] {
      for (unsigned i = 1; i <= 2000; ++i) {
        const auto value = static_cast<unsigned char>(i % 251);
        memory.write(8 + t, &value, 1);
      }
    });
  for (auto& thread : threads) thread.join();
  const auto last = static_cast<std::uint64_t>(2000 % 251);
  EXPECT_EQ(memory.load64(8), last * 0x01010101U);
}

}  // namespace
}  // namespace iommusim::hal
