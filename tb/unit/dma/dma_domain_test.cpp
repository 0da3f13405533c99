// SPDX-License-Identifier: Apache-2.0
// DmaDomain: where buffers, lists and rings are mapped, for whom, and what may be wrong with them.
#include "dma/dma_domain.h"

#include <cerrno>

#include "dma_fixture.h"
#include "hal/contradiction.h"

namespace iommusim::dma {
namespace {

using drivers::MockCall;

TEST(DmaDomain, MapsAtAnyAlignment) {
  Machine machine;
  const std::uint64_t iova = machine.map(0x40000ff0, 0x20);
  EXPECT_EQ(iova, 0xffffe000U + 0xff0);  // two pages, the highest below 4 GiB
  EXPECT_EQ(machine.reached(iova), 0x40000ff0U);
  EXPECT_EQ(machine.reached(iova + 0x1f), 0x4000100fU);
  EXPECT_EQ(machine.statistics.mapped_bytes.value(), 0x2000U);
  machine.domain->unmap(iova, 0x20);
  EXPECT_EQ(machine.reached(iova), 0U);
  EXPECT_EQ(machine.statistics.mapped_bytes.value(), 0U);
}

TEST(DmaDomain, TheDirectionDecidesWhatTheDeviceMayDo) {
  Machine machine;
  const std::uint64_t out = machine.map(0x1000, 0x1000, Direction::kToDevice);
  const std::uint64_t in = machine.map(0x2000, 0x1000, Direction::kFromDevice);
  EXPECT_NE(machine.reached(out, false), 0U);
  EXPECT_EQ(machine.reached(out, true), 0U);
  EXPECT_NE(machine.reached(in, true), 0U);
  machine.domain->unmap(out, 0x1000);
  machine.domain->unmap(in, 0x1000);
}

TEST(DmaDomain, LowAddressesFirstThenTheWholeMask_first_last_dma_mask) {
  Options options;
  options.iova.first_last = 0x3fff;  // pages 1 to 3
  options.iova.dma_mask = 0x7ffe;    // and to 6: page 7 has an end that the device cannot name
  Machine machine(options);
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 6; ++i) all.push_back(machine.map(0x100000, 0x1000));
  EXPECT_EQ(all, (std::vector<std::uint64_t>{0x3000, 0x2000, 0x1000, 0x6000, 0x5000, 0x4000}));
  std::uint64_t iova = 0;
  EXPECT_EQ(machine.domain->map(0x1000, 1, Direction::kToDevice, iova), ENOMEM);
  for (const std::uint64_t address : all) machine.domain->unmap(address, 0x1000);
  EXPECT_EQ(machine.domain->map(0x1000, 1, Direction::kToDevice, iova), 0);
  machine.domain->unmap(iova, 1);
}

TEST(DmaDomain, StaysOutOfReservedRegionsAndTheAperture) {
  drivers::MockDeviceOptions device;
  device.reserved = {{0xfee00000, 0xfeefffff, domain::ReservedRegion::Kind::kMsi}, {0xfffff000, ~0ULL}};
  drivers::MockOptions iommu;
  iommu.aperture_start = 0xfedff000;
  Options options;
  options.iova.dma_mask = 0xffffffff;
  Machine machine(options, device, iommu);
  const std::uint64_t iova = machine.map(0x1000, 0x1000);
  EXPECT_EQ(iova, 0xffffe000U);
  std::uint64_t large = 0;
  EXPECT_EQ(machine.domain->map(0x1000, 0x1000000, Direction::kToDevice, large), ENOMEM);  // none of the two is whole
  EXPECT_EQ(machine.domain->map_fixed(0xfedff000, 0x1000, 0x1000, Direction::kToDevice), 0);
  EXPECT_EQ(machine.domain->map_fixed(0xfedfe000, 0x1000, 0x1000, Direction::kToDevice), EEXIST);
  EXPECT_EQ(machine.domain->map_fixed(0xfeeff000, 0x1000, 0x1000, Direction::kToDevice), EEXIST);
  EXPECT_EQ(machine.domain->map_fixed(0xfef00000, 0x1000, 0x1000, Direction::kToDevice), 0);
  machine.domain->unmap(iova, 0x1000);
}

TEST(DmaDomain, AListIsOneRangeOfIovas) {
  Machine machine;
  ScatterList list;
  ASSERT_EQ(machine.domain->map_sg({{0x10000200, 0xe00}, {0x20000000, 0x2000}, {0x30000000, 0x80}, {0x40000080, 8}},
                                   Direction::kToDevice, list),
            0);
  ASSERT_EQ(list.runs.size(), 2U);  // the first three follow each other in the device's view
  EXPECT_EQ(list.runs[0].address, list.iova);
  EXPECT_EQ(list.runs[0].bytes, 0xe00U + 0x2000 + 0x80);
  EXPECT_EQ(list.runs[1].address, list.iova - 0x200 + 0x4080);
  EXPECT_EQ(machine.reached(list.iova), 0x10000200U);
  EXPECT_EQ(machine.reached(list.iova + 0xe00), 0x20000000U);
  EXPECT_EQ(machine.reached(list.iova + 0x2e00), 0x30000000U);
  EXPECT_EQ(machine.reached(list.runs[1].address), 0x40000080U);
  machine.domain->unmap_sg(list);
  EXPECT_EQ(machine.calls(MockCall::kSync), 1U);
  EXPECT_EQ(machine.statistics.mapped_bytes.value(), 0U);
}

TEST(DmaDomain, ARangeIsLinkedInStepsAndFreedAtOnce) {
  Machine machine;
  std::uint64_t iova = 0;
  EXPECT_EQ(machine.domain->alloc_range(0, iova), EINVAL);
  ASSERT_EQ(machine.domain->alloc_range(0x4000, iova), 0);
  EXPECT_EQ(machine.reached(iova), 0U);
  EXPECT_EQ(machine.domain->link(iova + 0x1000, 0x50000, 0x2000, Direction::kToDevice), 0);
  EXPECT_EQ(machine.domain->link(iova + 0x2000, 0x60000, 0x1000, Direction::kToDevice), EEXIST);
  EXPECT_EQ(machine.domain->link(iova + 0x3000, 0x60000, 0x1000, Direction::kToDevice), 0);
  EXPECT_EQ(machine.reached(iova + 0x3010), 0x60010U);
  machine.domain->free_range(iova, 0x4000);  // the first page was never linked
  EXPECT_EQ(machine.calls(MockCall::kSync), 1U);
  EXPECT_FALSE(machine.device.attached()->reaches(0x50000));
  EXPECT_EQ(machine.map(0x1000, 0x4000), iova);
  machine.domain->unmap(iova, 0x4000);
}

TEST(DmaDomain, CoherentMemoryIsZeroedMappedAndGivenBackStrictly) {
  Machine machine(deferred());
  Coherent ring;
  ASSERT_EQ(machine.domain->alloc_coherent(0x1800, ring), 0);
  EXPECT_EQ(machine.frames.frames_in_use(), 2U);
  EXPECT_EQ(machine.reached(ring.iova, true), ring.spa);
  machine.domain->free_coherent(ring);
  EXPECT_EQ(machine.reached(ring.iova), 0U);  // although the domain is deferred
  EXPECT_EQ(machine.frames.frames_in_use(), 0U);
  EXPECT_EQ(machine.domain->alloc_coherent(1ULL << 40, ring), ENOMEM);
}

TEST(DmaDomain, WhatFailsLeavesNothing) {
  Machine machine;
  std::uint64_t iova = 0;
  machine.iommu.fail_nth(MockCall::kMap, 1, ENOMEM);
  EXPECT_EQ(machine.domain->map(0x1000, 0x1000, Direction::kToDevice, iova), ENOMEM);
  machine.iommu.fail_nth(MockCall::kMap, 2, ENOMEM);
  ScatterList list;
  EXPECT_EQ(machine.domain->map_sg({{0x1000, 0x1000}, {0x5000, 0x1000}}, Direction::kToDevice, list), ENOMEM);
  machine.iommu.fail_nth(MockCall::kMap, 1, ENOMEM);
  Coherent ring;
  EXPECT_EQ(machine.domain->alloc_coherent(0x1000, ring), ENOMEM);
  EXPECT_FALSE(machine.device.attached()->reaches(0x1000));
  EXPECT_EQ(machine.domain->map(0x1000, 0, Direction::kToDevice, iova), EINVAL);
  EXPECT_EQ(machine.domain->map(~0ULL, 2, Direction::kToDevice, iova), EINVAL);
  EXPECT_EQ(machine.domain->map_sg({}, Direction::kToDevice, list), EINVAL);
  EXPECT_EQ(machine.statistics.maps.value(), 0U);
}

TEST(DmaDomain, ADriverThatUnmapsTwiceIsFoundOut) {
  Machine machine;
  const std::uint64_t iova = machine.map(0x1000, 0x1000);
  machine.domain->unmap(iova, 0x1000);
  EXPECT_THROW(machine.domain->unmap(iova, 0x1000), hal::Contradiction);
}

TEST(DmaDomain, ALeakIsFoundOut) {
  Machine machine;
  const std::uint64_t iova = machine.map(0x1000, 0x1000);
  EXPECT_THROW(machine.domain->close(), hal::Contradiction);
  machine.domain->unmap(iova, 0x1000);
}

TEST(DmaDomain, AttachesTheWholeGroupOrNobody) {
  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames(os, memory, 1ULL << 20, 1ULL << 20);
  drivers::MockIommu iommu(os);
  drivers::MockDevice& first = iommu.add_device();
  drivers::MockDevice& second = iommu.add_device();
  Statistics statistics;
  std::unique_ptr<DmaDomain> domain;
  iommu.fail_nth(MockCall::kAttach, 2, EBUSY);
  EXPECT_EQ(DmaDomain::create(os, frames, first, {}, statistics, domain), EBUSY);
  EXPECT_EQ(first.attached(), nullptr);
  EXPECT_EQ(iommu.live_domains(), 0U);
  ASSERT_EQ(DmaDomain::create(os, frames, first, {}, statistics, domain), 0);
  EXPECT_EQ(first.attached(), second.attached());
  domain->close();
  EXPECT_EQ(second.attached(), nullptr);
}

}  // namespace
}  // namespace iommusim::dma
