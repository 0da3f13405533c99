// SPDX-License-Identifier: Apache-2.0
#include "tlm/sparse_store.h"

#include <rapidcheck/gtest.h>

#include <map>

#include "base/error.h"

namespace iommusim::bus {
namespace {

TEST(SparseStore, UntouchedIsZeroAndTakesNoPage) {
  const SparseStore store(56);
  EXPECT_EQ(store.load64((1ULL << 56) - 8), 0U);
  EXPECT_EQ(store.pages(), 0U);
}

TEST(SparseStore, ContainsUpToTheLastByte) {
  for (const unsigned bits : {12U, 13U, 40U, 56U}) {
    SparseStore store(bits);
    const std::uint64_t size = 1ULL << bits;
    EXPECT_TRUE(store.contains(size - 8, 8));
    EXPECT_FALSE(store.contains(size - 8, 9));
    EXPECT_FALSE(store.contains(size, 0));
    EXPECT_FALSE(store.contains(~0ULL, 8));
    store.store64(size - 8, 1);
    EXPECT_EQ(store.load64(size - 8), 1U);
    EXPECT_EQ(store.pages(), 1U);
    std::uint8_t byte = 0;
    EXPECT_THROW(store.write(size, &byte, 1), base::Contradiction);
  }
}

TEST(SparseStore, CompareSwapOfFourBytesLeavesTheNeighbours) {
  SparseStore store(20);
  store.store64(8, 0x1111111122222222);
  EXPECT_EQ(store.compare_swap(12, 4, 0x11111111, 0x33333333), 0x11111111U);
  EXPECT_EQ(store.load64(8), 0x3333333322222222U);
  EXPECT_EQ(store.compare_swap(8, 8, 0, 5), 0x3333333322222222U);
  EXPECT_EQ(store.load64(8), 0x3333333322222222U);
}

RC_GTEST_PROP(SparseStore, BehavesLikeAMapOfBytes, ()) {
  SparseStore store(15);
  std::map<std::uint64_t, std::uint8_t> model;
  for (auto count = *rc::gen::inRange(1, 20); count > 0; --count) {
    const auto address = *rc::gen::inRange<std::uint64_t>(0, 1U << 14);
    std::vector<std::uint8_t> data(*rc::gen::inRange<std::size_t>(0, 9000), *rc::gen::arbitrary<std::uint8_t>());
    if (*rc::gen::arbitrary<bool>()) {
      store.write(address, data.data(), data.size());
      for (std::size_t i = 0; i < data.size(); ++i) model[address + i] = data[i];
      continue;
    }
    store.read(address, data.data(), data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
      const auto it = model.find(address + i);
      RC_ASSERT(data[i] == (it == model.end() ? 0 : it->second));
    }
  }
}

}  // namespace
}  // namespace iommusim::bus
