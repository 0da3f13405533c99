// SPDX-License-Identifier: Apache-2.0
// Dirty tracking on the model: D of leaves set by the IOMMU, cleared by software, and set again because the IOMMU was
// made to forget.
#include <algorithm>
#include <cerrno>

#include "guest_bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct Pages final : domain::DirtySink {
  void dirty(std::uint64_t iova, std::uint64_t /*bytes*/) override { pages.push_back(iova); }
  std::vector<std::uint64_t> pages;
};
using List = std::vector<std::uint64_t>;

List read_dirty(domain::Domain& domain, bool clear, bool flush = true) {
  Pages sink;
  domain::Gather gather;
  EXPECT_EQ(domain.read_dirty(0, 0x10000, clear, sink, gather), 0);
  if (flush) {
    EXPECT_TRUE(domain.sync(gather));
  }
  return sink.pages;
}

void start(domain::Domain& domain) {
  EXPECT_EQ(read_dirty(domain, true), List{}) << "nothing is told before the start";
  EXPECT_EQ(domain.set_dirty_tracking(true), 0);
  EXPECT_EQ(domain.set_dirty_tracking(true), 0);
}

TEST(DirtyTracking, WritesAreSeenReadsAreNot) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto domain = bench.alloc(device, domain::kTracksDirty);
  ASSERT_EQ(domain->map(0x1000, 0x11000, 0x3000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*domain), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, true), 0x11000U);
  start(*domain);
  EXPECT_EQ(bench.dma(5, 0x1000), 0x11000U);
  EXPECT_EQ(bench.dma(5, 0x2000, true), 0x12000U);
  EXPECT_EQ(read_dirty(*domain, false), (List{0x2000}));
  EXPECT_EQ(read_dirty(*domain, true), (List{0x2000})) << "a look changes nothing";
  EXPECT_EQ(read_dirty(*domain, true), List{});
  EXPECT_EQ(bench.dma(5, 0x2000, true), 0x12000U) << "the cached translation is gone, and D is set again";
  EXPECT_EQ(bench.dma(5, 0x3000, true), 0x13000U);
  EXPECT_EQ(read_dirty(*domain, true), (List{0x2000, 0x3000}));
  ASSERT_EQ(domain->map(0x8000, 0x18000, 0x1000, kReadWrite), 0) << "while it tracks";
  EXPECT_EQ(bench.dma(5, 0x8000, true), 0x18000U);
  EXPECT_EQ(read_dirty(*domain, true), (List{0x8000}));
  EXPECT_EQ(domain->set_dirty_tracking(false), 0);
  EXPECT_EQ(bench.dma(5, 0x8000, true), 0x18000U);
  EXPECT_EQ(read_dirty(*domain, false), List{});
  device.block();
}

// IOMMU 6.3.6: without the invalidation hardware need not set D again. So this test would notice its lack above.
TEST(DirtyTracking, WithoutAFlushAWriteIsMissed) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto domain = bench.alloc(device, domain::kTracksDirty);
  ASSERT_EQ(domain->map(0x1000, 0x11000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*domain), 0);
  start(*domain);
  (void)bench.dma(5, 0x1000, true);
  (void)bench.dma(5, 0x1000, true);
  EXPECT_EQ(read_dirty(*domain, true, false), (List{0x1000}));
  (void)bench.dma(5, 0x1000, true);
  EXPECT_EQ(read_dirty(*domain, true), List{});
  device.block();
}

TEST(DirtyTracking, OfProcessesAndOfParents) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  const auto process = bench.alloc(device, domain::kTracksDirty | domain::kForPasids);
  ASSERT_EQ(process->map(0x1000, 0x11000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach_pasid(3, *process), 0);
  start(*process);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 3), 0x11000U);
  EXPECT_EQ(read_dirty(*process, true), (List{0x1000}));
  device.block_everything();

  bench.build_parent(device, domain::kTracksDirty);
  bench.map_guest(0x7000, 0x3000);
  const auto nested = bench.nested(device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  start(*bench.parent);
  EXPECT_EQ(bench.dma(5, 0x7000, true), bench.spa(0x3000));
  EXPECT_EQ(read_dirty(*bench.parent, true), (List{0x3000})) << "guest-physical pages";
  device.block();
}

// The guest's own dirty bits are writes of the device's IOMMU into guest memory.
TEST(DirtyTracking, BitsThatHardwareSetsForTheGuestMakeItsTablesDirty) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device, domain::kTracksDirty);
  bench.map_guest(0x7000, 0x3000, 0x1f);  // neither A nor D
  uapi::hwpt_riscv_stage1 stage1 = GuestBench::stage1();
  stage1.flags = uapi::kRiscvStage1HardwareDirty;
  std::unique_ptr<domain::NestedDomain> nested;
  ASSERT_EQ(device.alloc_nested(*bench.parent, 0, bench.data(stage1), nested), 0);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  start(*bench.parent);
  EXPECT_EQ(bench.dma(5, 0x7000, true), bench.spa(0x3000));
  EXPECT_EQ(bench.guest_entry(0x7000) & 0xc0, 0xc0U);
  const List pages = read_dirty(*bench.parent, true);
  for (const std::uint64_t page : {0x3000, 0xf000})
    EXPECT_EQ(std::count(pages.begin(), pages.end(), page), 1) << page << ": the data, the table with its entry";
  device.block();
}

TEST(DirtyTracking, WithoutHardwareItIsOfferedOnlyOnDemand) {
  spec::Implementation without = everything();
  without.amo_hwad = false;
  ModelBench plain(without);
  RiscvDevice& device = plain.add(5);
  EXPECT_FALSE(device.capable(domain::Capability::kDirtyTracking));
  std::unique_ptr<domain::Domain> domain;
  EXPECT_EQ(device.alloc_paging({domain::kTracksDirty, {}}, domain), EOPNOTSUPP);

  RiscvIommuOptions options;
  options.dirty_tracking = DirtyTracking::kAlways;
  ModelBench walking(without, options);
  RiscvDevice& walked = walking.add(5);
  EXPECT_TRUE(walked.capable(domain::Capability::kDirtyTracking));
  domain = walking.alloc(walked, domain::kTracksDirty);
  ASSERT_EQ(domain->map(0x1000, 0x11000, 0x1000, domain::kRead), 0);
  ASSERT_EQ(domain->map(0x2000, 0x12000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(walked.attach(*domain), 0);
  start(*domain);
  EXPECT_EQ(walking.dma(5, 0x2000, true), 0x12000U);
  EXPECT_EQ(read_dirty(*domain, true), (List{0x2000})) << "what may be written counts as written";
  EXPECT_EQ(read_dirty(*domain, true), (List{0x2000}));
  walked.block();
  domain.reset();

  options.dirty_tracking = DirtyTracking::kOff;
  ModelBench off(everything(), options);
  EXPECT_FALSE(off.add(5).capable(domain::Capability::kDirtyTracking));
}

TEST(DirtyTracking, ADomainThatTracksNeedsDevicesThatCan) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto domain = bench.alloc(device, domain::kTracksDirty), plain = bench.alloc(device);
  EXPECT_EQ(plain->set_dirty_tracking(true), EOPNOTSUPP);
  Pages sink;
  domain::Gather gather;
  EXPECT_EQ(plain->read_dirty(0, 0x1000, false, sink, gather), EOPNOTSUPP);
  // Another IOMMU of the same system, without AMO_HWAD.
  ScriptedIommu poor;
  RiscvIommu second(Ports{bench.os, poor, poor.memory(), bench.frames, bench.interrupts}, bench.system, small_queues());
  ASSERT_EQ(second.probe(), 0);
  int error = -1;
  RiscvDevice* const other = second.add_device({{1}, 1, {}}, error);
  EXPECT_EQ(other->attach(*domain), EINVAL);
  second.remove();
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
