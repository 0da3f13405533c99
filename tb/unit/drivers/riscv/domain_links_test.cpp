// SPDX-License-Identifier: Apache-2.0
// Ranges, non-leaf entries, limits and batches of invalidations: what hardware gets, with and without the extensions.
#include "drivers/riscv/domain_links.h"

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

constexpr std::uint64_t kLinkMiB = 1ULL << 20;
constexpr std::uint64_t kBoth = hw::capabilities::kSMask | hw::capabilities::kNlMask;

struct LinksRig {
  explicit LinksRig(const RiscvIommuOptions& options, std::uint64_t capabilities = kBoth)
      : bench(script(capabilities)), iommu(bench.ports, bench.system, options) {
    EXPECT_EQ(iommu.probe(), 0);
    int error = -1;
    device = iommu.add_device({{5}, 0, {}}, error);
    EXPECT_EQ(device->alloc_domain(domain), 0);
    EXPECT_EQ(device->attach(*domain), 0);
    (void)bench.hardware.take();
  }
  ~LinksRig() {
    device->block();
    domain.reset();
    iommu.remove();
    EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  }
  static ScriptedIommu::Script script(std::uint64_t capabilities) {
    ScriptedIommu::Script script;
    script.capabilities |= capabilities;
    return script;
  }
  Events unmap(std::uint64_t iova, std::uint64_t bytes) {
    EXPECT_EQ(domain->map(iova, 0x40000000 + iova, bytes, domain::kRead | domain::kWrite), 0);
    (void)bench.hardware.take();
    domain::Gather gather;
    EXPECT_EQ(domain->unmap(iova, bytes, gather), bytes);
    EXPECT_TRUE(domain->sync(gather));
    return bench.hardware.take();
  }
  Bench bench;
  RiscvIommu iommu;
  RiscvDevice* device = nullptr;
  std::unique_ptr<domain::Domain> domain;
};

RiscvIommuOptions pages_only() {
  RiscvIommuOptions options;
  options.page_sizes = 1ULL << 12;
  return options;
}

TEST(DomainLinks, RangeInvalidationNeedsTheHardware) {
  RiscvIommuOptions options = pages_only();
  EXPECT_EQ(LinksRig(options).unmap(0x10000, 0x4000).size(), 5U) << "the default";
  options.range_invalidation = true;
  EXPECT_EQ(LinksRig(options, 0).unmap(0x10000, 0x4000).size(), 5U);
  EXPECT_EQ(LinksRig(options).unmap(0x10000, 0x4000),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x11000 s", "IOFENCE.C pr pw"}));
  EXPECT_EQ(LinksRig(options).unmap(0x11000, 0x3000),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x11000", "IOTINVAL.VMA pscid=1 addr=0x12000 s", "IOFENCE.C pr pw"}));
}

TEST(DomainLinks, WithRangesTheThresholdDoesNotCount) {
  RiscvIommuOptions options = pages_only();
  options.range_invalidation = true;
  options.free_tables_on_unmap = false;
  EXPECT_EQ(LinksRig(options).unmap(0, 4 * kLinkMiB),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x1ff000 s", "IOFENCE.C pr pw"}));
}

TEST(DomainLinks, NonLeafInvalidationReplacesTheWholeAddressSpace) {
  RiscvIommuOptions options = pages_only();
  options.range_invalidation = options.non_leaf_invalidation = true;
  const Events whole{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"};
  EXPECT_EQ(LinksRig(options, hw::capabilities::kSMask).unmap(0, 2 * kLinkMiB), whole) << "a table was freed";
  LinksRig rig(options);
  EXPECT_EQ(rig.unmap(0, 2 * kLinkMiB), (Events{"IOTINVAL.VMA pscid=1 addr=0xff000 s nl", "IOFENCE.C pr pw"}));
  EXPECT_EQ(rig.unmap(0x1000, 0x1000), (Events{"IOTINVAL.VMA pscid=1 addr=0x1000", "IOFENCE.C pr pw"}))
      << "leaves alone where no table goes";
}

// A table that lost its leaves before goes with its neighbours: what led to it must go, too.
TEST(DomainLinks, NonLeafInvalidationCoversTablesWithoutLeaves) {
  RiscvIommuOptions options = pages_only();
  options.range_invalidation = options.non_leaf_invalidation = true;
  LinksRig rig(options);
  domain::Gather gather;
  const std::uint64_t gib = 1ULL << 30;
  ASSERT_EQ(rig.domain->map(gib - 0x1000, 0x40000000, 0x1000, domain::kRead), 0);
  EXPECT_EQ(rig.domain->unmap(gib - 0x1000, 0x1000, gather), 0x1000U);
  EXPECT_TRUE(rig.domain->sync(gather));
  ASSERT_EQ(rig.domain->map(0, 0x40000000, 0x1000, domain::kRead), 0);
  (void)rig.bench.hardware.take();
  EXPECT_EQ(rig.domain->unmap(0, gib, gather), 0x1000U);
  EXPECT_TRUE(rig.domain->sync(gather));
  EXPECT_EQ(rig.bench.hardware.take(), (Events{"IOTINVAL.VMA pscid=1 addr=0x1ffff000 s nl", "IOFENCE.C pr pw"}));
}

TEST(DomainLinks, MoreCommandsThanTheLimitBecomeOne) {
  RiscvIommuOptions options = pages_only();
  options.command_limit = 16;
  LinksRig rig(options, 0);
  EXPECT_EQ(rig.unmap(0x1000, 16 * 4096).size(), 17U);
  EXPECT_EQ(rig.unmap(0x1000, 17 * 4096), (Events{"IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
}

TEST(DomainLinks, ABatchAndItsFenceMoveTheTailOnce) {
  RiscvIommuOptions options = pages_only();
  options.command_batch = 5;
  LinksRig rig(options, 0);
  const std::uint64_t before = rig.bench.hardware.tail_writes();
  EXPECT_EQ(rig.unmap(0x10000, 0x4000).size(), 5U);
  EXPECT_EQ(rig.bench.hardware.tail_writes() - before, 1U);
  EXPECT_EQ(rig.unmap(0x10000, 0x5000).size(), 6U);
  EXPECT_EQ(rig.bench.hardware.tail_writes() - before, 3U) << "five, and the fence";
  options.command_batch = 1;
  LinksRig one(options, 0);
  const std::uint64_t at_first = one.bench.hardware.tail_writes();
  (void)one.unmap(0x10000, 0x4000);
  EXPECT_EQ(one.bench.hardware.tail_writes() - at_first, 5U) << "the default";
}

TEST(DomainLinks, InBatchesIommusWorkAtTheSameTime) {
  RiscvIommuOptions options = pages_only();
  options.command_batch = 64;
  LinksRig at(options, 0);
  ScriptedIommu second_hardware;
  const Ports second_ports{at.bench.os, second_hardware, second_hardware.memory(), at.bench.frames,
                           at.bench.interrupts};
  RiscvIommu second(second_ports, at.bench.system, options);
  ASSERT_EQ(second.probe(), 0);
  int error = -1;
  RiscvDevice* other = second.add_device({{1}, 1, {}}, error);
  ASSERT_EQ(other->attach(*at.domain), 0);
  ASSERT_EQ(at.domain->map(0x10000, 0x40000, 0x1000, domain::kRead), 0);
  (void)second_hardware.take();
  at.bench.hardware.pause(true);
  unsigned pauses = 0;
  at.bench.os.while_waiting = [&] {
    if (pauses++ == 0) {
      EXPECT_EQ(second_hardware.take().size(), 2U) << "before the first is done";
    }
    at.bench.hardware.pause(false);
  };
  domain::Gather gather;
  EXPECT_EQ(at.domain->unmap(0x10000, 0x1000, gather), 0x1000U);
  EXPECT_TRUE(at.domain->sync(gather));
  EXPECT_NE(pauses, 0U);
  at.bench.os.while_waiting = {};
  other->block();
  second.remove();
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
