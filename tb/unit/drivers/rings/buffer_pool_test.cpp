// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/buffer_pool.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>

namespace iommusim::drivers::rings {
namespace {

/// Notes what is mapped; the n-th map may fail.
struct NotingPort final : BufferPort {
  std::map<std::uint64_t, std::uint64_t> mapped;  // IOVA -> bytes
  unsigned calls = 0, fail_at = 0;
  void read(std::uint64_t, void*, std::size_t) override {}
  void write(std::uint64_t, const void*, std::size_t) override {}
  int map(std::uint64_t offset, std::uint64_t bytes, unsigned, unsigned, std::uint64_t& iova) override {
    if (++calls == fail_at) return ENOMEM;
    iova = 0x10000000 + offset;
    EXPECT_TRUE(mapped.emplace(iova, bytes).second);
    return 0;
  }
  void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned) override {
    EXPECT_EQ(mapped.at(iova), bytes);
    mapped.erase(iova);
  }
};

BufferOptions options_of(Mapping mapping, bool scattered) {
  BufferOptions options;
  options.mapping = mapping;
  options.scattered = scattered;
  options.pages = 3;
  options.count = 4;
  return options;
}

TEST(BufferPool, EachSchemeMapsWhenItSaysAndLeavesNothing) {
  for (const bool scattered : {false, true})
    for (const Mapping mapping : {Mapping::kBuffer, Mapping::kRing, Mapping::kPool}) {
      NotingPort port;
      BufferPool pool(port, 0, options_of(mapping, scattered));
      const unsigned each = scattered ? 3 : 1;
      ASSERT_EQ(pool.open(), 0);
      EXPECT_EQ(port.calls, mapping != Mapping::kRing ? 0U : scattered ? 12U : 1U);
      std::uint32_t a = 0, b = 0;
      ASSERT_EQ(pool.take(a), 0);
      ASSERT_EQ(pool.take(b), 0);
      EXPECT_EQ(pool.pieces(b).size(), each);
      EXPECT_EQ(pool.pieces(b)[0].iova, 0x10000000U + 3 * 4096);
      pool.give_back(a);
      EXPECT_EQ(pool.unmaps(), mapping == Mapping::kBuffer ? each : 0U);
      pool.give_back(b);
      pool.close();
      EXPECT_TRUE(port.mapped.empty());
      EXPECT_EQ(pool.maps(), pool.unmaps());
    }
}

TEST(BufferPool, HandsOutInTheOrderOfReturn) {
  NotingPort port;
  BufferPool pool(port, 0, options_of(Mapping::kPool, false));
  std::uint32_t number = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(pool.available());
    ASSERT_EQ(pool.take(number), 0);
    EXPECT_EQ(number, i);
  }
  EXPECT_FALSE(pool.available());
  pool.give_back(2);
  pool.give_back(0);
  ASSERT_EQ(pool.take(number), 0);
  EXPECT_EQ(number, 2U);
}

TEST(BufferPool, AFailedMapLeavesNothing) {
  for (unsigned at = 1; at <= 3; ++at) {
    NotingPort port;
    port.fail_at = at;
    BufferPool pool(port, 0, options_of(Mapping::kBuffer, true));
    std::uint32_t number = 0;
    EXPECT_EQ(pool.take(number), ENOMEM);
    EXPECT_TRUE(port.mapped.empty());
    EXPECT_TRUE(pool.available());
  }
  for (unsigned at = 1; at <= 12; ++at) {
    NotingPort port;
    port.fail_at = at;
    BufferPool pool(port, 0, options_of(Mapping::kRing, true));
    EXPECT_EQ(pool.open(), ENOMEM);
    EXPECT_TRUE(port.mapped.empty());
  }
}

TEST(BufferPool, WrongEvery) {
  NotingPort port;
  BufferOptions options = options_of(Mapping::kBuffer, false);
  options.wrong_every = 3;
  BufferPool pool(port, 0, options);
  for (unsigned use = 1; use <= 7; ++use) {
    std::uint32_t number = 0;
    ASSERT_EQ(pool.take(number), 0);
    EXPECT_EQ(port.mapped.count(pool.pieces(number)[0].iova), use % 3 == 0 ? 0U : 1U) << use;
    pool.give_back(number);
  }
  EXPECT_EQ(pool.wrong(), 2U);
  EXPECT_TRUE(port.mapped.empty());
}

}  // namespace
}  // namespace iommusim::drivers::rings
