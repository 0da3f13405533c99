// SPDX-License-Identifier: Apache-2.0
// What an unmap means by the three policies, fixed mappings, and the laws: an IOVA is not handed out while it is mapped
// or waits; after a strict unmap, or after the flush, no DMA reaches the memory.
#include <rapidcheck/gtest.h>

#include <cerrno>
#include <map>

#include "dma_fixture.h"

namespace iommusim::dma {
namespace {

using drivers::MockCall;

TEST(DmaUnmap, StrictIsOneInvalidationEach) {
  Machine machine;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t iova = machine.map(0x5000, 0x1000);
    machine.domain->unmap(iova, 0x1000);
    EXPECT_FALSE(machine.device.attached()->reaches(0x5000));
  }
  EXPECT_EQ(machine.calls(MockCall::kSync), 3U);
  EXPECT_EQ(machine.calls(MockCall::kFlushAll), 0U);
  EXPECT_EQ(machine.statistics.syncs.value(), 3U);
  EXPECT_EQ(machine.statistics.cache_hits.value(), 2U);
}

TEST(DmaUnmap, DeferredIsOneFlushForMany) {
  Machine machine(deferred(4));
  std::vector<std::uint64_t> iovas;
  for (int i = 0; i < 4; ++i) {
    iovas.push_back(machine.map(0x5000 + 0x1000U * static_cast<unsigned>(i), 0x1000));
    machine.domain->unmap(iovas.back(), 0x1000);
  }
  EXPECT_EQ(machine.reached(iovas[0]), 0x5000U);  // still
  EXPECT_EQ(machine.calls(MockCall::kSync) + machine.calls(MockCall::kFlushAll), 0U);
  const std::uint64_t fresh = machine.map(0x9000, 0x1000);
  EXPECT_EQ(fresh, iovas[3] - 0x1000);  // none of those that wait
  machine.domain->unmap(fresh, 0x1000);
  EXPECT_EQ(machine.calls(MockCall::kFlushAll), 1U);
  EXPECT_EQ(machine.reached(iovas[0]), 0U);
  EXPECT_EQ(machine.map(0x5000, 0x1000), iovas[3]);  // free again
  machine.domain->unmap(iovas[3], 0x1000);
}

TEST(DmaUnmap, AnAddressSpaceThatIsFullOfWaitingIovasIsFlushed) {
  Options options = deferred();
  options.iova.dma_mask = 0x7fff;
  Machine machine(options);
  for (int i = 0; i < 20; ++i) machine.domain->unmap(machine.map(0x5000, 0x1000), 0x1000);
  EXPECT_EQ(machine.statistics.flushes_space.value(), 2U);  // 7 pages at a time
}

TEST(DmaUnmap, IovasAreLostWhenTheHardwareDoesNotAnswer) {
  Options options;
  options.iova.dma_mask = 0x1fff;
  Machine machine(options);
  const std::uint64_t iova = machine.map(0x5000, 0x1000);
  machine.iommu.fail_nth(MockCall::kSync, 1, ETIMEDOUT);
  machine.domain->unmap(iova, 0x1000);
  std::uint64_t other = 0;
  EXPECT_EQ(machine.domain->map(0x6000, 0x1000, Direction::kToDevice, other), ENOMEM);
}

TEST(DmaUnmap, FixedMappingsLieWhereTheCallerSays) {
  Machine machine;
  EXPECT_EQ(machine.domain->map_fixed(0x10000, 0x40000, 0x2000, Direction::kBidirectional), 0);
  EXPECT_EQ(machine.domain->map_fixed(0x12000, 0x80000, 0x1000, Direction::kBidirectional), 0);
  EXPECT_EQ(machine.domain->map_fixed(0x11000, 0x90000, 0x1000, Direction::kBidirectional), EEXIST);
  EXPECT_EQ(machine.domain->map_fixed(0x13800, 0x90000, 0x1000, Direction::kBidirectional), EINVAL);
  EXPECT_EQ(machine.domain->map_fixed(1ULL << 47, 0x90000, 0x1000, Direction::kBidirectional), EINVAL);
  EXPECT_EQ(machine.reached(0x11080), 0x41080U);
  EXPECT_EQ(machine.domain->unmap_fixed(0x11000, 0x2000), EINVAL);
  EXPECT_EQ(machine.domain->unmap_fixed(0x10000, 0x1000), EINVAL);
  EXPECT_EQ(machine.domain->unmap_fixed(0x20000, 0x1000), ENOENT);
  EXPECT_EQ(machine.domain->unmap_fixed(0x10000, 0x3000), 0);  // both at once
  EXPECT_EQ(machine.calls(MockCall::kUnmap), 1U);
  EXPECT_EQ(machine.calls(MockCall::kSync), 1U);
  EXPECT_EQ(machine.domain->map_fixed(0x11000, 0x90000, 0x1000, Direction::kBidirectional), 0);
}

TEST(DmaUnmap, AFixedMappingWaitsForTheFlushOfTheOneBefore) {
  Machine machine(deferred());
  ASSERT_EQ(machine.domain->map_fixed(0x10000, 0x40000, 0x1000, Direction::kBidirectional), 0);
  ASSERT_EQ(machine.domain->unmap_fixed(0x10000, 0x1000), 0);
  EXPECT_EQ(machine.reached(0x10000), 0x40000U);
  ASSERT_EQ(machine.domain->map_fixed(0x10000, 0x50000, 0x1000, Direction::kBidirectional), 0);
  EXPECT_EQ(machine.statistics.flushes_space.value(), 1U);
  EXPECT_FALSE(machine.device.attached()->reaches(0x40000));
}

TEST(DmaUnmap, ExplicitWaitsForTheCallersInvalidation) {
  Machine machine(explicitly());
  DmaDomain& domain = *machine.domain;
  ASSERT_EQ(domain.map_fixed(0x10000, 0x40000, 0x4000, Direction::kBidirectional), 0);
  ASSERT_EQ(domain.unmap_fixed(0x10000, 0x4000), 0);
  EXPECT_EQ(machine.reached(0x13000), 0x43000U);
  EXPECT_EQ(domain.map_fixed(0x10000, 0x50000, 0x1000, Direction::kBidirectional), EEXIST);
  EXPECT_EQ(domain.invalidate(0x11000, 0x2000), 0);  // a part: what is around it still waits
  EXPECT_EQ(machine.statistics.waiting.value(), 2U);
  EXPECT_EQ(domain.map_fixed(0x11000, 0x50000, 0x2000, Direction::kBidirectional), 0);
  EXPECT_EQ(domain.map_fixed(0x13000, 0x50000, 0x1000, Direction::kBidirectional), EEXIST);
  EXPECT_EQ(domain.invalidate(0x8000, 0x8000), 0);  // beside it
  EXPECT_EQ(domain.invalidate(0x0, 0x20000), 0);    // wider
  EXPECT_EQ(machine.statistics.waiting.value(), 0U);
  EXPECT_EQ(domain.map_fixed(0x13000, 0x50000, 0x1000, Direction::kBidirectional), 0);
  EXPECT_EQ(machine.calls(MockCall::kInvalidate), 3U);
  EXPECT_EQ(machine.calls(MockCall::kSync) + machine.calls(MockCall::kFlushAll), 0U);
  EXPECT_EQ(domain.invalidate(0x1000, 0), EINVAL);
}

TEST(DmaUnmap, ExplicitFlushFreesAll) {
  Machine machine(explicitly());
  const std::uint64_t iova = machine.map(0x5000, 0x3000);
  machine.domain->unmap(iova, 0x3000);
  EXPECT_EQ(machine.domain->map_fixed(iova, 0x50000, 0x1000, Direction::kBidirectional), EEXIST);
  machine.domain->flush();
  EXPECT_EQ(machine.domain->map_fixed(iova, 0x50000, 0x3000, Direction::kBidirectional), 0);
  EXPECT_EQ(machine.calls(MockCall::kFlushAll), 1U);
}

/// Any order of maps, unmaps and flushes, by any policy, in a space so small that IOVAs are used again and again.
RC_GTEST_PROP(DmaUnmap, NoIovaIsReusedAndNoPageReachedTooLong, ()) {
  Options options = *rc::gen::arbitrary<bool>() ? deferred(*rc::gen::inRange(1U, 5U)) : Options{};
  options.cpus = 2;
  options.iova.dma_mask = 0x7ffff;
  options.iova.magazine_entries = *rc::gen::inRange(1U, 4U);
  Machine machine(options);
  struct Held {
    std::uint64_t spa, bytes;
  };
  std::map<std::uint64_t, Held> held;
  std::map<std::uint64_t, Held> waiting;
  const bool strict = options.invalidation == Invalidation::kStrict;
  std::uint64_t next_spa = 0x10000000;
  std::uint64_t flushes = 0;
  const auto overlaps = [](const std::map<std::uint64_t, Held>& ranges, std::uint64_t iova, std::uint64_t bytes) {
    for (const auto& [start, range] : ranges)
      if (start < iova + bytes && iova < start + range.bytes) return true;
    return false;
  };
  const auto note_flush = [&] {
    if (machine.calls(MockCall::kFlushAll) == flushes) return;
    flushes = machine.calls(MockCall::kFlushAll);
    for (const auto& [start, range] : waiting) RC_ASSERT(!machine.device.attached()->reaches(range.spa));
    waiting.clear();
  };
  const auto steps = *rc::gen::inRange(1, 100);
  for (int i = 0; i < steps; ++i) {
    const auto cpu = *rc::gen::inRange(0U, 2U);
    const auto what = *rc::gen::inRange(0, 10);
    if (what < 5) {
      const Held range{next_spa, *rc::gen::inRange<std::uint64_t>(1, 9) * 0x1000};
      next_spa += 0x100000;
      std::uint64_t iova = 0;
      const int error = machine.domain->map(range.spa, range.bytes, Direction::kBidirectional, iova, cpu);
      note_flush();
      RC_ASSERT((error == 0 || error == ENOMEM));
      if (error != 0) continue;
      RC_ASSERT((!overlaps(held, iova, range.bytes) && !overlaps(waiting, iova, range.bytes)));
      RC_ASSERT(machine.reached(iova) == range.spa);
      held.emplace(iova, range);
    } else if (what < 9 && !held.empty()) {
      auto at = held.begin();
      std::advance(at, *rc::gen::inRange<std::size_t>(0, held.size()));
      const auto [iova, range] = *at;
      held.erase(at);
      const std::uint64_t before = flushes;
      machine.domain->unmap(iova, range.bytes, cpu);
      note_flush();
      const bool reached = machine.device.attached()->reaches(range.spa);
      RC_ASSERT((strict ? !reached : reached || flushes != before));
      if (!strict) waiting.emplace(iova, range);
    } else if (!strict) {
      machine.domain->flush();
      note_flush();
      RC_ASSERT(waiting.empty());
    }
    // A flush for a full ring serves all, but the other ring is emptied at its next use.
    RC_ASSERT(machine.statistics.waiting.value() >= waiting.size());
  }
  for (const auto& [iova, range] : held) machine.domain->unmap(iova, range.bytes);
  machine.domain->flush();
  RC_ASSERT((machine.device.attached()->stale_leaves() == 0U && machine.device.attached()->mapped_bytes() == 0U));
  std::uint64_t whole = 0;  // everything is free again: one mapping of the larger half
  RC_ASSERT(machine.domain->map(0x10000000, 0x40000, Direction::kBidirectional, whole) == 0);
  machine.domain->unmap(whole, 0x40000);
}

}  // namespace
}  // namespace iommusim::dma
