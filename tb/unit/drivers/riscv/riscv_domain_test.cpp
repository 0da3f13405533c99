// SPDX-License-Identifier: Apache-2.0
// Invalidation after unmap (riscv_driver.md 6, 10.1), failed maps, several IOMMUs, and threads that map, unmap and
// attach at once.
#include "drivers/riscv/riscv_domain.h"

#include <cerrno>
#include <thread>

#include "bench.h"
#include "hal/contradiction.h"

namespace iommusim::drivers::riscv::test {
namespace {

constexpr unsigned kRwAccess = domain::kRead | domain::kWrite;
constexpr std::uint64_t kMiB = 1ULL << 20;

RiscvIommuOptions small_pages(std::uint64_t threshold = 2 * kMiB) {
  RiscvIommuOptions options;
  options.page_sizes = 1ULL << 12;
  options.flush_all_threshold_bytes = threshold;
  return options;
}

/// A probed IOMMU with one attached device.
struct Attached {
  explicit Attached(const RiscvIommuOptions& options) : iommu(bench.ports, bench.system, options) {
    EXPECT_EQ(iommu.probe(), 0);
    int error = -1;
    device = iommu.add_device({{5}, 0, {}}, error);
    EXPECT_EQ(device->alloc_domain(domain), 0);
    EXPECT_EQ(device->attach(*domain), 0);
    (void)bench.hardware.take();
  }
  ~Attached() {
    device->block();
    domain.reset();
    iommu.remove();
    EXPECT_EQ(bench.frames.frames_in_use(), 0U);
    EXPECT_EQ(bench.system.pscids_in_use(), 0U);
  }
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes) {
    domain::Gather gather;
    const std::uint64_t cleared = domain->unmap(iova, bytes, gather);
    domain->sync(gather);
    EXPECT_TRUE(gather.empty());
    return cleared;
  }
  Bench bench;
  RiscvIommu iommu;
  RiscvDevice* device = nullptr;
  std::unique_ptr<domain::Domain> domain;
};

TEST(RiscvDomain, MapSendsNoCommandAndUnmapOf16KiBSendsFour) {
  Attached at(small_pages());
  ASSERT_EQ(at.domain->map(0x10000, 0x40000, 0x4000, kRwAccess), 0);
  EXPECT_TRUE(at.bench.hardware.take().empty());
  EXPECT_EQ(at.unmap(0x10000, 0x4000), 0x4000U);
  EXPECT_EQ(at.bench.hardware.take(),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x10000", "IOTINVAL.VMA pscid=1 addr=0x11000",
                    "IOTINVAL.VMA pscid=1 addr=0x12000", "IOTINVAL.VMA pscid=1 addr=0x13000", "IOFENCE.C pr pw"}));
}

// IOMMU 6.3: hardware sees the cleared entries before the command that makes it forget them.
TEST(RiscvDomain, TheUpdateIsVisibleBeforeItsInvalidation) {
  Attached at(small_pages());
  for (const std::uint64_t bytes : {std::uint64_t{0x4000}, 4 * kMiB}) {
    ASSERT_EQ(at.domain->map(0x1000, 0x40001000, bytes, kRwAccess), 0);
    EXPECT_TRUE(at.bench.hardware.memory().unsettled());
    EXPECT_EQ(at.unmap(0x1000, bytes), bytes);
    EXPECT_FALSE(at.bench.hardware.take().empty());
    EXPECT_FALSE(at.bench.hardware.tail_overtook_a_store());
  }
}

TEST(RiscvDomain, UnmapOf4MiBInvalidatesTheAddressSpace) {
  Attached at(small_pages());
  ASSERT_EQ(at.domain->map(0x1000, 0x40001000, 4 * kMiB, kRwAccess), 0);
  EXPECT_EQ(at.unmap(0x1000, 4 * kMiB), 4 * kMiB);
  EXPECT_EQ(at.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
}

TEST(RiscvDomain, TheThresholdIsExact) {
  Attached at(small_pages());
  ASSERT_EQ(at.domain->map(0x1000, 0x40001000, 4 * kMiB, kRwAccess), 0);
  EXPECT_EQ(at.unmap(0x1000, 2 * kMiB - 4096), 2 * kMiB - 4096);  // no whole table inside
  EXPECT_EQ(at.bench.hardware.take().size(), 512U);               // 511 pages and the fence
  EXPECT_EQ(at.unmap(2 * kMiB, 2 * kMiB + 4096), 2 * kMiB + 4096);
  EXPECT_EQ(at.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
}

TEST(RiscvDomain, NeverMeansPageByPage) {
  Attached at(small_pages(0));
  ASSERT_EQ(at.domain->map(0, 0x40000000, 4 * kMiB, kRwAccess), 0);
  EXPECT_EQ(at.unmap(0, 4 * kMiB), 4 * kMiB);
  EXPECT_EQ(at.bench.hardware.take().size(), 1025U);
}

TEST(RiscvDomain, ATableIsFreedAfterTheFenceOnly) {
  RiscvIommuOptions options = small_pages(64 * kMiB);
  Attached at(options);
  ASSERT_EQ(at.domain->map(0, 0x40000000, 2 * kMiB, kRwAccess), 0);
  const std::uint64_t with_table = at.bench.frames.frames_in_use();
  domain::Gather gather;
  EXPECT_EQ(at.domain->unmap(0, 2 * kMiB, gather), 2 * kMiB);
  EXPECT_EQ(at.bench.frames.frames_in_use(), with_table);
  at.bench.hardware.pause(true);
  unsigned pauses = 0;
  at.bench.os.while_waiting = [&] {
    EXPECT_EQ(at.bench.frames.frames_in_use(), with_table);
    if (++pauses == 4) at.bench.hardware.pause(false);
  };
  at.domain->sync(gather);
  EXPECT_EQ(at.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  EXPECT_LT(at.bench.frames.frames_in_use(), with_table);
}

TEST(RiscvDomain, NothingClearedNothingSent) {
  Attached at(small_pages());
  EXPECT_EQ(at.unmap(0x10000, 0x4000), 0U);
  EXPECT_TRUE(at.bench.hardware.take().empty());
}

TEST(RiscvDomain, FlushAllIsOneCommandAndAFence) {
  Attached at(small_pages());
  at.domain->flush_all();
  EXPECT_EQ(at.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
}

TEST(RiscvDomain, TablesOutliveAFlushUntilTheyAreFreed) {
  Attached at(small_pages(64 * kMiB));
  ASSERT_EQ(at.domain->map(0, 0x40000000, 2 * kMiB, kRwAccess), 0);
  const std::uint64_t with_table = at.bench.frames.frames_in_use();
  domain::Gather gather;
  EXPECT_EQ(at.domain->unmap(0, 2 * kMiB, gather), 2 * kMiB);
  EXPECT_TRUE(at.domain->flush_all());
  EXPECT_EQ(at.bench.frames.frames_in_use(), with_table);
  at.domain->free_tables(gather);
  EXPECT_EQ(at.bench.frames.frames_in_use(), with_table - 1);
  EXPECT_TRUE(gather.freed_tables.empty());
}

TEST(RiscvDomain, AnInvalidationByRangeIsThatRangeWhateverTheThreshold) {
  Attached at(small_pages(4096));
  EXPECT_TRUE(at.domain->invalidate(0x10000, 0x11fff));
  EXPECT_EQ(at.bench.hardware.take(),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x10000", "IOTINVAL.VMA pscid=1 addr=0x11000", "IOFENCE.C pr pw"}));
  EXPECT_TRUE(at.domain->invalidate(0x200000, 0x200000 + 4 * kMiB - 1));
  EXPECT_EQ(at.bench.hardware.take().size(), 1025U);
  EXPECT_TRUE(at.domain->invalidate((1ULL << 47) - 0x1000, ~0ULL));  // cut at the end of the address space
  EXPECT_EQ(at.bench.hardware.take().size(), 2U);
  EXPECT_TRUE(at.domain->invalidate(1ULL << 47, ~0ULL));
  EXPECT_TRUE(at.bench.hardware.take().empty());
}

TEST(RiscvDomain, ALargeLeafReplacesAnEmptyTableAfterAnInvalidation) {
  RiscvIommuOptions options;
  options.free_tables_on_unmap = false;
  Attached at(options);
  ASSERT_EQ(at.domain->map(0, 0x40000000, 4096, kRwAccess), 0);
  EXPECT_EQ(at.unmap(0, 4096), 4096U);
  (void)at.bench.hardware.take();
  const std::uint64_t frames = at.bench.frames.frames_in_use();
  ASSERT_EQ(at.domain->map(0, 0x40000000, 2 * kMiB, kRwAccess), 0);
  EXPECT_EQ(at.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  EXPECT_EQ(at.bench.frames.frames_in_use(), frames - 1);
}

TEST(RiscvDomain, AFailedMapLeavesNothingMappedOrCached) {
  Attached at(small_pages());
  ASSERT_EQ(at.domain->map(0x14000, 0x50000, 0x1000, kRwAccess), 0);
  EXPECT_EQ(at.domain->map(0x12000, 0x60000, 0x4000, kRwAccess), EEXIST);
  EXPECT_EQ(at.bench.hardware.take(),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x12000", "IOTINVAL.VMA pscid=1 addr=0x13000", "IOFENCE.C pr pw"}));
  std::uint64_t spa = 0;
  EXPECT_FALSE(at.domain->iova_to_phys(0x12000, spa));
  EXPECT_TRUE(at.domain->iova_to_phys(0x14123, spa));
  EXPECT_EQ(spa, 0x50123U);
}

TEST(RiscvDomain, RefusesWhatItsTableCannotHold) {
  Attached at(small_pages());
  EXPECT_EQ(at.domain->aperture_last(), (1ULL << 47) - 1);
  EXPECT_EQ(at.domain->map(0x1001, 0, 0x1000, kRwAccess), EINVAL);
  EXPECT_EQ(at.domain->map(0x1000, 0, 0, kRwAccess), EINVAL);
  EXPECT_EQ(at.domain->map(0x1000, 0, 0x1000, 0), EINVAL);
  EXPECT_EQ(at.domain->map((1ULL << 47) - 0x1000, 0, 0x2000, kRwAccess), EINVAL);
  EXPECT_EQ(at.domain->map(0x1000, (1ULL << 56) - 0x1000, 0x2000, kRwAccess), EINVAL);
  EXPECT_EQ(at.domain->map((1ULL << 47) - 0x1000, 0, 0x1000, kRwAccess), 0);
}

TEST(RiscvDomain, EachDistinctIommuGetsItsInvalidationOnce) {
  Attached at(small_pages());
  ScriptedIommu second_hardware;
  const Ports second_ports{at.bench.os, second_hardware, second_hardware.memory(), at.bench.frames,
                           at.bench.interrupts};
  {
    RiscvIommu second(second_ports, at.bench.system, small_pages());
    ASSERT_EQ(second.probe(), 0);
    int error = -1;
    RiscvDevice* a = second.add_device({{1}, 1, {}}, error);
    RiscvDevice* b = second.add_device({{2}, 2, {}}, error);
    ASSERT_EQ(a->attach(*at.domain), 0);
    ASSERT_EQ(b->attach(*at.domain), 0);
    ASSERT_EQ(at.domain->map(0x10000, 0x40000, 0x1000, kRwAccess), 0);
    (void)at.bench.hardware.take();
    (void)second_hardware.take();
    EXPECT_EQ(at.unmap(0x10000, 0x1000), 0x1000U);
    const Events once{"IOTINVAL.VMA pscid=1 addr=0x10000", "IOFENCE.C pr pw"};
    EXPECT_EQ(at.bench.hardware.take(), once);
    EXPECT_EQ(second_hardware.take(), once);
    a->block();
    b->block();
    second.remove();
  }
  at.domain->flush_all();
  EXPECT_TRUE(second_hardware.take().back() == "write fqcsr 0x0");  // nothing since it was removed
}

TEST(RiscvDomain, ThreadsMapUnmapAndAttachAtOnce) {
  ScriptedIommu hardware;
  hal::ThreadOs os;
  hal::BuddyFrames frames(os, hardware.memory(), Bench::kFramesStart, 16ULL << 20);
  ManualInterrupts interrupts(4);
  RiscvSystem system(os);
  RiscvIommuOptions options = small_queues();
  options.page_sizes = 1ULL << 12 | 1ULL << 21;
  RiscvIommu iommu(Ports{os, hardware, hardware.memory(), frames, interrupts}, system, options);
  ASSERT_EQ(iommu.probe(), 0);
  int error = -1;
  RiscvDevice* device = iommu.add_device({{5}, 0, {}}, error);
  RiscvDevice* guest = iommu.add_device({{6}, 1, {}}, error);
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device->alloc_domain(domain), 0);
  ASSERT_EQ(device->attach(*domain), 0);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {  // slices of one 2 MiB span: the tables are shared
      for (std::uint64_t i = 0; i < 60; ++i) {
        const std::uint64_t iova = (1ULL << 30) + t * 0x80000 + (i % 7) * 0x8000;
        EXPECT_EQ(domain->map(iova, 0x40000000 + iova, 0x8000, kRwAccess), 0);
        domain::Gather gather;
        EXPECT_EQ(domain->unmap(iova, 0x8000, gather), 0x8000U);
        domain->sync(gather);
      }
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 30; ++i) {
      EXPECT_EQ(guest->attach(*domain), 0);
      guest->block();
    }
  });
  for (auto& thread : threads) thread.join();
  device->block();
  domain.reset();
  iommu.remove();
  EXPECT_EQ(frames.frames_in_use(), 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
