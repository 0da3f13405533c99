// SPDX-License-Identifier: Apache-2.0
// PASIDs: DMA of processes on the model, and the stores and commands of their contexts on scripted hardware.
#include <cerrno>

#include "model_bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

TEST(RiscvDeviceProcess, EachProcessHasItsOwnTable) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  EXPECT_EQ(device.pasid_width(), 20U);
  const auto rid = bench.alloc(device, domain::kForPasids), first = bench.alloc(device, domain::kForPasids),
             second = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(rid->map(0x1000, 0x10000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(first->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(second->map(0x1000, 0x30000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*rid), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, true), 0x10000U);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 7), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 266U) << "PDT entry not valid";
  ASSERT_EQ(device.attach_pasid(7, *first), 0);
  ASSERT_EQ(device.attach_pasid(0xfffff, *second), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, true), 0x10000U);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 7), 0x20000U);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 0xfffff), 0x30000U);
  EXPECT_EQ(device.attach_pasid(7, *second), 0) << "replaced";
  EXPECT_EQ(bench.dma(5, 0x1000, true, 7), 0x30000U);
  EXPECT_EQ(ModelBench::unmap(*second, 0x1000, 0x1000), 0x1000U);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 7), ModelBench::kNowhere);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 0xfffff), ModelBench::kNowhere);
  device.block_pasid(7);
  device.block_pasid(7);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 7), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 266U);
  EXPECT_EQ(bench.dma(5, 0x1000, true), 0x10000U) << "the others do not notice";
  device.block_everything();
}

TEST(RiscvDeviceProcess, WithoutItsOwnAttachmentOnlyPasidsPass) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto domain = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(domain->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach_pasid(300, *domain), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 300), 0x20000U);
  EXPECT_EQ(bench.dma(5, 0x1000), ModelBench::kNowhere);
  ASSERT_EQ(device.attach(*domain), 0) << "the same domain twice";
  EXPECT_EQ(bench.dma(5, 0x1000), 0x20000U);
  device.block();
  EXPECT_EQ(bench.dma(5, 0x1000), ModelBench::kNowhere);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 300), 0x20000U);
  device.block_pasid(300);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 300), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 258U) << "with the last use the device context goes";
}

TEST(RiscvDeviceProcess, ADomainThatIsNotForPasidsTakesTheDirectoryOnlyWhenOneComes) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto plain = bench.alloc(device), process = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(plain->map(0x1000, 0x10000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(process->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*plain), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 1), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 260U) << "there is no directory";
  ASSERT_EQ(device.attach_pasid(1, *process), 0);
  EXPECT_EQ(bench.dma(5, 0x1000), 0x10000U);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 1), 0x20000U);
  device.block_everything();
  ASSERT_EQ(device.attach(*plain), 0);
  EXPECT_EQ(bench.dma(5, 0x1000), 0x10000U);
  EXPECT_EQ(bench.dma(5, 0x1000, false, 1), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 260U);
  device.block();
}

TEST(RiscvDeviceProcess, PrivilegedRequestsNeedADeviceThatHasThem) {
  ModelBench bench;
  DeviceDescription description;
  description.device_ids = {6};
  description.pasid_bits = 8;
  description.pasid_privileged = true;
  RiscvDevice &plain = bench.add(5), &privileged = bench.add(description);
  const auto domain = bench.alloc(plain, domain::kForPasids);
  ASSERT_EQ(domain->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(plain.attach_pasid(1, *domain), 0);
  ASSERT_EQ(privileged.attach_pasid(1, *domain), 0);
  EXPECT_EQ(bench.dma(5, 0x1000, true, 1, true), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 260U);
  EXPECT_EQ(bench.dma(6, 0x1000, true, 1, true), 0x20000U);
  EXPECT_EQ(bench.dma(6, 0x1000, true, 1), 0x20000U);
  plain.block_everything();
  privileged.block_everything();
}

TEST(RiscvDeviceProcess, WhatDoesNotFitIsRefused) {
  spec::Implementation narrow = everything();
  narrow.pd17 = narrow.pd20 = false;
  ModelBench bench(narrow);
  RiscvDevice &wide = bench.add(5), &none = bench.add(6, 0);
  EXPECT_EQ(wide.pasid_width(), 8U) << "as far as the hardware goes";
  EXPECT_EQ(none.pasid_width(), 0U);
  const auto domain = bench.alloc(wide, domain::kForPasids), parent = bench.alloc(wide, domain::kNestParent);
  EXPECT_EQ(wide.attach_pasid(256, *domain), EINVAL);
  EXPECT_EQ(wide.attach_pasid(0, *domain), EINVAL);
  EXPECT_EQ(wide.attach_pasid(1, *parent), EINVAL);
  EXPECT_EQ(none.attach_pasid(1, *domain), EINVAL);
  EXPECT_EQ(none.attach(*domain), 0) << "without a PASID it is a domain like any other";
  none.block();
  ASSERT_EQ(wide.attach(*parent), 0);
  EXPECT_EQ(wide.attach_pasid(1, *domain), EINVAL);
  wide.block();
  ASSERT_EQ(wide.attach_pasid(255, *domain), 0);
  EXPECT_EQ(wide.attach(*parent), EINVAL) << "a second stage would be that of the processes, too";
  wide.block_everything();
}

TEST(RiscvDeviceProcess, WithoutMemoryTheOldStateStays) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  const auto rid = bench.alloc(device, domain::kForPasids), domain = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(rid->map(0x1000, 0x10000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*rid), 0);
  std::vector<std::uint64_t> taken;
  while (const std::uint64_t frame = bench.frames.alloc(0)) taken.push_back(frame);
  EXPECT_EQ(device.attach_pasid(0x80000, *domain), ENOMEM);
  EXPECT_EQ(device.attach_pasid(3, *domain), 0) << "its table is there since process 0 came";
  EXPECT_EQ(bench.dma(5, 0x1000), 0x10000U);
  for (const std::uint64_t frame : taken) bench.frames.free(frame, 0);
  device.block_everything();
}

// As with device contexts: invalid and forgotten, then written with V last.
TEST(RiscvDeviceProcess, AReplacementGoesOverAnInvalidContext) {
  ScriptedIommu::Script script;
  script.capabilities |= hw::capabilities::kPd8Mask;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  DeviceDescription description;
  description.device_ids = {5};
  description.pasid_bits = 8;
  int error = -1;
  RiscvDevice* const device = iommu.add_device(description, error);
  std::unique_ptr<domain::Domain> a, b;
  ASSERT_EQ(device->alloc_paging({domain::kForPasids, {}}, a), 0);
  ASSERT_EQ(device->alloc_paging({domain::kForPasids, {}}, b), 0);
  std::uint64_t dc = 0;
  ASSERT_EQ(iommu.directory().locate(5, dc), 0);
  bench.hardware.memory().watch(dc, 32, "dc");
  (void)bench.hardware.take();
  ASSERT_EQ(device->attach_pasid(9, *a), 0);
  Events events = bench.hardware.take();
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(Events(events.begin() + 1, events.end()),
            (Events{"dc+16 = 0x0", "dc+0 = 0x221", "INVAL_DDT did=5", "IOTINVAL.VMA", "IOFENCE.C pr pw"}))
      << "V, PDTV, DPE";
  const std::uint64_t pdt = bench.hardware.memory().load64(dc + 24);
  EXPECT_EQ(pdt >> 60, 1U) << "PD8";
  bench.hardware.memory().watch((pdt & ((1ULL << 44) - 1)) << 12 | 9 * 16, 16, "pc");
  ASSERT_EQ(device->attach_pasid(9, *b), 0);
  events = bench.hardware.take();
  ASSERT_EQ(events.size(), 11U);
  EXPECT_EQ(events[0], "pc+0 = 0x1000");
  EXPECT_EQ(Events(events.begin() + 1, events.begin() + 4),
            (Events{"INVAL_PDT did=5 pid=9", "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  EXPECT_EQ(events[4].substr(0, 4), "pc+8");
  EXPECT_EQ(Events(events.begin() + 5, events.end()),
            (Events{"pc+0 = 0x2001", "INVAL_PDT did=5 pid=9", "IOTINVAL.VMA pscid=2", "IOFENCE.C pr pw",
                    "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw"}));
  device->block_everything();
  a.reset();
  b.reset();
  iommu.remove();
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

TEST(RiscvDeviceProcess, DevicesForgetByPasid) {
  RiscvIommuOptions options;
  options.ats = true;
  ModelBench bench(everything(), options);
  DeviceDescription description;
  description.device_ids = {24};
  description.ats = true;
  description.pasid_bits = 8;
  RiscvDevice& device = bench.add(description);
  const auto domain = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(domain->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach_pasid(9, *domain), 0);
  const std::size_t before = bench.messages.sent.size();
  EXPECT_EQ(ModelBench::unmap(*domain, 0x1000, 0x1000), 0x1000U);
  ASSERT_EQ(bench.messages.sent.size(), before + 1);
  EXPECT_TRUE(bench.messages.sent.back().process_valid);
  EXPECT_EQ(bench.messages.sent.back().process.value, 9U);
  device.block_everything();
}

// Two uses of one table by a device that queues one invalidation at a time.
TEST(RiscvDeviceProcess, ADeviceIsAskedNoMoreAtATimeThanItQueues) {
  RiscvIommuOptions options;
  options.ats = true;
  ModelBench bench(everything(), options);
  DeviceDescription description;
  description.device_ids = {24};
  description.ats = true;
  description.invalidation_depth = 1;
  description.pasid_bits = 8;
  RiscvDevice& device = bench.add(description);
  const auto domain = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(domain->map(0x1000, 0x20000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*domain), 0);
  ASSERT_EQ(device.attach_pasid(9, *domain), 0);
  ASSERT_EQ(device.attach_pasid(10, *domain), 0);
  const std::size_t before = bench.messages.sent.size();
  EXPECT_EQ(ModelBench::unmap(*domain, 0x1000, 0x1000), 0x1000U);
  EXPECT_EQ(bench.messages.sent.size(), before + 3);
  device.block_everything();
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
