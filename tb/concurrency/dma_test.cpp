// SPDX-License-Identifier: Apache-2.0
// The DMA API under several processors at once: no IOVA is in two hands, no memory is reached after its flush, and
// calls that need not wait for one another do not.
#include "../unit/dma/dma_fixture.h"
#include "meeting.h"

namespace iommusim::dma {
namespace {

using concurrency::Gate;
using concurrency::Rendezvous;
using concurrency::Threads;
using drivers::MockCall;

constexpr unsigned kCpus = 3;

Options with_cpus(Options options) {
  options.cpus = kCpus;
  return options;
}

/// Each thread maps memory of its own, and looks whether the device reaches that and nothing else.
void work(Machine& machine, unsigned cpu, unsigned rounds) {
  struct Buffer {
    std::uint64_t iova, spa, bytes;
  };
  std::vector<Buffer> live;
  for (unsigned i = 0; i < rounds; ++i) {
    const Buffer wanted{0, (1ULL << 32) + (std::uint64_t{cpu} << 28) + std::uint64_t{i} * 0x10000,
                        (1 + i % 5) * 0x1000U};
    Buffer buffer = wanted;
    ASSERT_EQ(machine.domain->map(buffer.spa, buffer.bytes, Direction::kBidirectional, buffer.iova, cpu), 0);
    EXPECT_EQ(machine.reached(buffer.iova + buffer.bytes - 1), buffer.spa + buffer.bytes - 1);
    live.push_back(buffer);
    if (live.size() < 6) continue;
    const Buffer oldest = live.front();
    live.erase(live.begin());
    machine.domain->unmap(oldest.iova, oldest.bytes, (cpu + i) % kCpus);  // also on another processor
    if (machine.domain->options().invalidation == Invalidation::kStrict) {
      EXPECT_FALSE(machine.device.attached()->reaches(oldest.spa));
    }
  }
  for (const Buffer& buffer : live) machine.domain->unmap(buffer.iova, buffer.bytes, cpu);
}

void all_processors(const Options& options) {
  Machine machine(options);
  {
    Threads threads;
    for (unsigned cpu = 0; cpu < kCpus; ++cpu) threads.start([&machine, cpu] { work(machine, cpu, 150); });
  }
  machine.domain->flush();
  EXPECT_EQ(machine.device.attached()->mapped_bytes(), 0U);
  EXPECT_EQ(machine.device.attached()->stale_leaves(), 0U);
  EXPECT_EQ(machine.statistics.waiting.value(), 0U);
  EXPECT_EQ(machine.statistics.maps.value(), machine.statistics.unmaps.value());
}

TEST(DmaConcurrency, StrictProcessorsDoNotDisturbEachOther) { all_processors(with_cpus({})); }
TEST(DmaConcurrency, DeferredProcessorsShareTheirFlushes) { all_processors(with_cpus(deferred(8, 1'000'000))); }

TEST(DmaConcurrency, ASmallAddressSpaceIsFlushedByWhoeverNeedsIt) {
  Options options = with_cpus(deferred(64));
  options.iova.dma_mask = 0xfffff;  // 255 pages
  options.iova.magazine_entries = 2;
  options.iova.depot_magazines = 1;
  all_processors(options);
}

TEST(DmaConcurrency, TwoStrictUnmapsInvalidateTogether) {
  Machine machine(with_cpus({}));
  const std::uint64_t a = machine.map(0x10000, 0x1000), b = machine.map(0x20000, 0x1000);
  Rendezvous both(2);
  machine.iommu.set_hook([&](MockCall call, std::uint64_t) {
    EXPECT_TRUE(call != MockCall::kSync || both.meet());
    return 0;
  });
  Threads threads;
  threads.start([&] { machine.domain->unmap(a, 0x1000, 0); });
  threads.start([&] { machine.domain->unmap(b, 0x1000, 1); });
}

TEST(DmaConcurrency, AProcessorThatFlushesHoldsUpNoOther) {
  Machine machine(with_cpus(deferred(1)));
  const std::uint64_t a = machine.map(0x10000, 0x1000), b = machine.map(0x20000, 0x1000), c = machine.map(0x30000, 1);
  machine.domain->unmap(a, 0x1000, 0);
  Gate gate;
  machine.iommu.set_hook([&](MockCall call, std::uint64_t) {
    if (call == MockCall::kFlushAll) gate.pass();
    return 0;
  });
  Threads threads;
  threads.start([&] { machine.domain->unmap(b, 0x1000, 0); });
  ASSERT_TRUE(gate.wait_for_arrival());
  machine.domain->unmap(c, 1, 1);  // returns, with its leaf cleared while the flush was under way
  EXPECT_EQ(machine.statistics.waiting.value(), 2U);
  gate.open();
  threads.join();
  // The flush began before c was unmapped: it must wait for the next one.
  EXPECT_EQ(machine.statistics.waiting.value(), 2U);
}

TEST(DmaConcurrency, RecordedInvalidationsAndMapsOfOtherRanges) {
  Machine machine(explicitly());
  Threads threads;
  for (unsigned t = 0; t < kCpus; ++t)
    threads.start([&machine, t] {
      const std::uint64_t base = 0x1000000ULL * (t + 1);
      for (unsigned i = 0; i < 100; ++i) {
        ASSERT_EQ(machine.domain->map_fixed(base, 0x40000000 + base, 0x3000, Direction::kToDevice), 0);
        ASSERT_EQ(machine.domain->unmap_fixed(base, 0x3000), 0);
        if (i % 10 == 9)
          machine.domain->flush();
        else
          ASSERT_EQ(machine.domain->invalidate(base, 0x4000), 0);
      }
    });
}

}  // namespace
}  // namespace iommusim::dma
