// SPDX-License-Identifier: Apache-2.0
// Page tables: leaf bits, large leaves, refusal of overlaps, tables taken away and replaced, and agreement with a map
// of pages under any sequence of maps and unmaps.
#include "drivers/riscv/page_table.h"

#include <rapidcheck/gtest.h>

#include <cerrno>
#include <map>

#include "hal/buddy_frames.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::drivers::riscv {
namespace {

constexpr std::uint64_t k4K = 1ULL << 12;
constexpr std::uint64_t k2M = 1ULL << 21;
constexpr std::uint64_t k1G = 1ULL << 30;
constexpr unsigned kRwProt = domain::kRead | domain::kWrite;

struct TableBench {
  explicit TableBench(unsigned levels = 3, std::uint64_t page_sizes = k4K | k2M | k1G, bool free_tables = true)
      : table(std::make_unique<PageTable>(memory, frames, PageTable::Shape{levels, page_sizes, true, free_tables})) {}

  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot = kRwProt) {
    std::uint64_t done = 0;
    return table->map(iova, spa, bytes, prot, done, replaced);
  }
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes) {
    return table->unmap(iova, iova + (bytes - 1), gather);
  }
  void free_gathered() {
    for (const auto frame : gather.freed_tables) frames.free(frame, 0);
    gather = domain::Gather{};
  }
  bool mapped(std::uint64_t iova) {
    std::uint64_t spa = 0;
    return table->walk(iova, spa);
  }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 0x80000000, 64ULL << 20};
  std::unique_ptr<PageTable> table;
  domain::Gather gather;
  std::vector<std::uint64_t> replaced;
};

/// Dirty leaves, as told.
struct DirtyList final : domain::DirtySink {
  void dirty(std::uint64_t iova, std::uint64_t bytes) override { leaves.emplace_back(iova, bytes); }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> leaves;
};

/// Sv39 with D left to hardware.
PageTable::Shape dirty_shape(bool hardware = true) {
  PageTable::Shape shape;
  shape.page_sizes = k4K | k2M;
  shape.hardware_dirty = hardware;
  return shape;
}

TEST(PageTable, ADirtyReadTellsWhatHardwareMarked) {
  TableBench bench;
  bench.table = std::make_unique<PageTable>(bench.memory, bench.frames, dirty_shape());
  ASSERT_EQ(bench.map(0, 0x40000000, 4 * k4K), 0);
  ASSERT_EQ(bench.map(k2M, 0x40000000 + k2M, k2M), 0);
  const auto set_dirty = [&](std::uint64_t iova, int levels) {
    std::uint64_t slot = bench.table->root();
    for (int level = 2;; --level) {
      slot += ((iova >> (12 + 9 * level)) & 511) * 8;
      if (level == levels) break;
      slot = bench.memory.load64(slot) >> 10 << 12;
    }
    EXPECT_EQ(bench.memory.load64(slot) & 0x80, 0U) << "not at first";
    bench.memory.store64(slot, bench.memory.load64(slot) | 0x80);
  };
  set_dirty(k4K, 0);
  set_dirty(k2M, 1);
  DirtyList all, part, again;
  domain::Gather gather;
  bench.table->read_dirty(0, 2 * k2M - 1, false, &all, gather);
  using Leaves = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(all.leaves, (Leaves{{k4K, k4K}, {k2M, k2M}}));
  EXPECT_TRUE(gather.empty()) << "nothing was changed";
  bench.table->read_dirty(k2M + 5 * k4K, k2M + 6 * k4K - 1, true, &part, gather);
  EXPECT_EQ(part.leaves, (Leaves{{k2M, k2M}})) << "a leaf is dirty as a whole";
  EXPECT_EQ(gather.start, k2M);
  EXPECT_EQ(gather.last, 2 * k2M - 1);
  bench.table->read_dirty(0, 2 * k2M - 1, true, nullptr, gather);
  EXPECT_EQ(gather.start, k4K);
  bench.table->read_dirty(0, 2 * k2M - 1, true, &again, gather);
  EXPECT_TRUE(again.leaves.empty());
}

TEST(PageTable, WithoutHardwareEveryWritableLeafIsDirty) {
  TableBench bench;
  bench.table = std::make_unique<PageTable>(bench.memory, bench.frames, dirty_shape(false));
  ASSERT_EQ(bench.map(0, 0x40000000, k4K, domain::kRead), 0);
  ASSERT_EQ(bench.map(k4K, 0x40001000, k4K), 0);
  DirtyList list;
  domain::Gather gather;
  bench.table->read_dirty(0, k2M, true, &list, gather);
  EXPECT_EQ(list.leaves.size(), 1U);
  EXPECT_TRUE(gather.empty());
  bench.table->read_dirty(0, k2M, true, &list, gather);
  EXPECT_EQ(list.leaves.size(), 2U) << "again";
}

TEST(PageTable, ASecondStageHasARootOfFourPages) {
  TableBench bench;
  PageTable::Shape shape;
  shape.root_bits = 11;
  const std::uint64_t before = bench.frames.frames_in_use();
  {
    PageTable table(bench.memory, bench.frames, shape);
    EXPECT_EQ(bench.frames.frames_in_use(), before + 4);
    EXPECT_EQ(table.root() % 0x4000, 0U);
    const std::uint64_t last = (1ULL << 41) - k4K;
    std::uint64_t done = 0, spa = 0;
    ASSERT_EQ(table.map(last, 0x5000, k4K, kRwProt, done, bench.replaced), 0);
    EXPECT_TRUE(table.walk(last, spa));
    EXPECT_FALSE(table.walk(last & ((1ULL << 39) - 1), spa)) << "the two bits above count";
    EXPECT_NE(bench.memory.load64(table.root() + 2047 * 8), 0U);
    EXPECT_EQ(table.unmap(1ULL << 40, (1ULL << 41) - 1, bench.gather), k4K);
    bench.free_gathered();
  }
  EXPECT_EQ(bench.frames.frames_in_use(), before);
}

TEST(PageTable, LeavesCarryTheBitsOfTheContract) {
  TableBench bench;
  ASSERT_EQ(bench.map(0, 0x5000, k4K, domain::kRead), 0);
  ASSERT_EQ(bench.map(k4K, 0x6000, k4K, domain::kWrite), 0);
  std::uint64_t table = bench.table->root();
  for (int level = 2; level > 0; --level) {
    const std::uint64_t entry = bench.memory.load64(table);
    EXPECT_EQ(entry & 0x3FF, 1U);  // V alone
    table = entry >> 10 << 12;
  }
  EXPECT_EQ(bench.memory.load64(table), 5ULL << 10 | 0b01011011U);      // A U X R V
  EXPECT_EQ(bench.memory.load64(table + 8), 6ULL << 10 | 0b11011111U);  // D A U X W R V
}

TEST(PageTable, UsesTheLargestLeafThatFits) {
  TableBench bench;
  ASSERT_EQ(bench.map(k1G, k1G, k1G), 0);
  EXPECT_EQ(bench.frames.frames_in_use(), 1U);
  ASSERT_EQ(bench.map(3 * k1G - k2M - k4K, 5 * k1G - k2M - k4K, k1G + k2M + k4K), 0);
  EXPECT_EQ(bench.frames.frames_in_use(), 3U);  // a table of 2 MiB leaves, a table of 4 KiB leaves
  std::uint64_t spa = 0;
  ASSERT_TRUE(bench.table->walk(3 * k1G + 0x12345678, spa));
  EXPECT_EQ(spa, 5 * k1G + 0x12345678);
}

TEST(PageTable, AnOverlapIsRefused) {
  TableBench bench;
  ASSERT_EQ(bench.map(k2M, k2M, k2M), 0);
  EXPECT_EQ(bench.map(k2M + k4K, 0, k4K), EEXIST);
  ASSERT_EQ(bench.map(2 * k2M, 0, k4K), 0);
  EXPECT_EQ(bench.map(2 * k2M, 0, k2M), EEXIST);
  EXPECT_TRUE(bench.mapped(2 * k2M));
}

TEST(PageTable, NoMemoryIsReportedWithTheProgress) {
  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames(os, memory, 0x80000000, 3 * k4K);
  PageTable table(memory, frames, PageTable::Shape{3, k4K, true, true});
  std::uint64_t done = 0;
  std::vector<std::uint64_t> replaced;
  EXPECT_EQ(table.map(k2M - k4K, 0, 2 * k4K, kRwProt, done, replaced), ENOMEM);
  EXPECT_EQ(done, k4K);
}

TEST(PageTable, UnmapOfAWholeSpanTakesTheTableAway) {
  TableBench bench(3, k4K);
  ASSERT_EQ(bench.map(0, 0, k2M + k4K), 0);
  EXPECT_EQ(bench.unmap(k4K, k2M - k4K), k2M - k4K);
  EXPECT_TRUE(bench.gather.freed_tables.empty());
  bench.free_gathered();
  EXPECT_EQ(bench.unmap(0, k2M), k4K);
  EXPECT_EQ(bench.gather.freed_tables.size(), 1U);
  EXPECT_EQ(bench.gather.start, 0U);
  EXPECT_EQ(bench.gather.last, k4K - 1);
  bench.free_gathered();
  EXPECT_TRUE(bench.mapped(k2M));
  bench.table.reset();
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

TEST(PageTable, TablesStayWhenToldSo) {
  TableBench bench(3, k4K, false);
  ASSERT_EQ(bench.map(0, 0, k2M), 0);
  EXPECT_EQ(bench.unmap(0, k2M), k2M);
  EXPECT_TRUE(bench.gather.freed_tables.empty());
}

TEST(PageTable, AnEmptyTableMakesRoomForALargeLeaf) {
  TableBench bench(3, k4K | k2M, false);
  ASSERT_EQ(bench.map(0, 0, k4K), 0);
  EXPECT_EQ(bench.unmap(0, k4K), k4K);
  EXPECT_EQ(bench.map(0, k2M, k2M), EAGAIN);
  ASSERT_EQ(bench.replaced.size(), 1U);
  bench.frames.free(bench.replaced[0], 0);
  bench.replaced.clear();
  EXPECT_EQ(bench.map(0, k2M, k2M), 0);
  std::uint64_t spa = 0;
  ASSERT_TRUE(bench.table->walk(0x1234, spa));
  EXPECT_EQ(spa, k2M + 0x1234);
}

// Steps: (map?, start page, pages, alignment). Starts cluster so that overlaps, large leaves and whole spans are
// common.
RC_GTEST_PROP(PageTable, AgreesWithAMapOfPages, ()) {
  const bool large = *rc::gen::arbitrary<bool>();
  const bool free_tables = *rc::gen::arbitrary<bool>();
  const unsigned levels = *rc::gen::inRange(3U, 6U);
  TableBench bench(levels, large ? k4K | k2M | k1G : k4K, free_tables);
  std::map<std::uint64_t, std::uint64_t> model;                             // page -> frame
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> leaves;  // 2 MiB page -> first page, pages
  const auto steps = *rc::gen::container<std::vector<std::tuple<bool, unsigned, unsigned>>>(
      rc::gen::tuple(rc::gen::arbitrary<bool>(), rc::gen::element(0U, 1U, 511U, 512U, 700U, 1024U, 1536U, 2047U),
                     rc::gen::element(1U, 2U, 511U, 512U, 513U, 1024U)));
  for (const auto& [mapping, page, count] : steps) {
    std::uint64_t present = 0;
    for (std::uint64_t p = page; p < std::uint64_t{page} + count; ++p) present += model.count(p);
    if (mapping) {
      if (present != 0) continue;  // a refused map may leave a part behind: the domain undoes it
      const std::uint64_t frame = 0x40000 + page;
      std::uint64_t done = 0;
      int error = EAGAIN;
      while (error == EAGAIN) {
        error = bench.table->map(page * k4K, frame * k4K, count * k4K, kRwProt, done, bench.replaced);
        for (const auto table : bench.replaced) bench.frames.free(table, 0);
        bench.replaced.clear();
      }
      RC_ASSERT(error == 0);
      RC_ASSERT(done == count * k4K);
      for (std::uint64_t p = 0; p < count; ++p) {
        model[page + p] = frame + p;
        const std::uint64_t block = (page + p) / 512 * 512;
        if (large && block >= page && block + 512 <= std::uint64_t{page} + count) leaves[block] = {block, 512};
      }
    } else {
      std::uint64_t first = page;
      std::uint64_t end = std::uint64_t{page} + count;
      for (const std::uint64_t edge : {first, end - 1})  // a large leaf goes as a whole
        if (const auto leaf = leaves.find(edge / 512 * 512); leaf != leaves.end()) {
          first = std::min(first, leaf->first);
          end = std::max(end, leaf->first + 512);
        }
      std::uint64_t expected = 0;
      for (std::uint64_t p = first; p < end; ++p) expected += model.erase(p);
      for (std::uint64_t p = first / 512 * 512; p < end; p += 512)
        if (p >= first) leaves.erase(p);
      RC_ASSERT(bench.unmap(page * k4K, count * k4K) == expected * k4K);
      bench.free_gathered();
    }
  }
  for (std::uint64_t p = 0; p < 3200; ++p) {
    std::uint64_t spa = 0;
    const bool mapped = bench.table->walk(p * k4K + 8, spa);
    RC_ASSERT(mapped == (model.count(p) != 0));
    if (mapped) RC_ASSERT(spa == model[p] * k4K + 8);
  }
  bench.table.reset();
  RC_ASSERT(bench.frames.frames_in_use() == 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv
