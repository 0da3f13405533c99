// SPDX-License-Identifier: Apache-2.0
// Nesting on the model: a guest's tables in guest memory over a second stage, what is refused, and what an unmap of the
// parent or an invalidation of the guest takes away.
#include "drivers/riscv/nested_domain.h"

#include <cerrno>

#include "guest_bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

TEST(NestedDomain, DmaGoesThroughBothStages) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  bench.map_guest(0x7000, 0x3000);
  auto nested = bench.nested(device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  EXPECT_EQ(bench.dma(5, 0x7123, true), bench.spa(0x3123));
  EXPECT_EQ(bench.dma(5, 0x8000), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 13U) << "the guest's fault";
  bench.map_guest(0x9000, 0x4000000);  // beyond what the parent maps
  EXPECT_EQ(bench.dma(5, 0x9000), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 21U) << "the host's";
  device.block();
  EXPECT_EQ(bench.dma(5, 0x7123), ModelBench::kNowhere);
}

TEST(NestedDomain, AParentAloneTranslatesGuestAddresses) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  ASSERT_EQ(device.attach(*bench.parent), 0);
  EXPECT_EQ(bench.dma(5, 0x3123, true), bench.spa(0x3123));
  EXPECT_EQ(bench.parent->aperture_last(), (1ULL << 59) - 1);
  EXPECT_EQ(ModelBench::unmap(*bench.parent, 0, GuestBench::kBytes), GuestBench::kBytes);
  EXPECT_EQ(bench.dma(5, 0x3123), ModelBench::kNowhere);
  ASSERT_EQ(bench.parent->map((1ULL << 59) - 0x1000, 0x5000, 0x1000, domain::kRead), 0) << "the last page of 59 bits";
  EXPECT_EQ(bench.dma(5, (1ULL << 59) - 0x1000), 0x5000U);
  EXPECT_EQ(ModelBench::unmap(*bench.parent, (1ULL << 59) - 0x1000, 0x1000), 0x1000U);
  device.block();
}

TEST(NestedDomain, AnUnmapOfTheParentReachesItsChildren) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  bench.map_guest(0x7000, 0x3000);
  auto nested = bench.nested(device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  ASSERT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  EXPECT_EQ(ModelBench::unmap(*bench.parent, 0, GuestBench::kBytes), GuestBench::kBytes);
  EXPECT_EQ(bench.dma(5, 0x7000), ModelBench::kNowhere);
  device.block();
}

TEST(NestedDomain, TheGuestInvalidatesItsOwnEntries) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  bench.map_guest(0x7000, 0x3000);
  auto nested = bench.nested(device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  ASSERT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  bench.map_guest(0x7000, 0x5000);
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000)) << "the old translation is cached";
  std::uint32_t done = 0;
  EXPECT_EQ(nested->invalidate(bench.commands({iotinval_page(GuestBench::kPscid, 0x7000)}), done), 0);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x5000));
  device.block();
}

/// One level at guest page 0x9000: the contexts of processes 0 and 3.
std::unique_ptr<domain::NestedDomain> nested_directory(GuestBench& bench, RiscvDevice& device) {
  const std::uint64_t fsc = bench.first_stage_fsc();
  for (const std::uint64_t process : {0, 3}) {
    bench.memory.store64(bench.spa(0x9000) + process * 16 + 8, fsc);
    bench.memory.store64(bench.spa(0x9000) + process * 16, 1 | (40 + process) << 12);
  }
  uapi::hwpt_riscv_stage1 stage1{};
  stage1.flags = uapi::kRiscvStage1Directory | uapi::kRiscvStage1DefaultProcess;
  stage1.fsc = hw::pdtp_mode::kPd8 << 60 | 0x9000 >> 12;
  std::unique_ptr<domain::NestedDomain> nested;
  EXPECT_EQ(device.alloc_nested(*bench.parent, 0, bench.data(stage1), nested), 0);
  return nested;
}

TEST(NestedDomain, AGuestMayBringItsProcessDirectory) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  bench.map_guest(0x7000, 0x3000);
  const auto nested = nested_directory(bench, device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  EXPECT_EQ(bench.dma(5, 0x7000, false, 3), bench.spa(0x3000));
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  EXPECT_EQ(bench.dma(5, 0x7000, false, 4), ModelBench::kNowhere);
  EXPECT_EQ(bench.cause, 266U);
  device.block();
}

TEST(NestedDomain, AfterAGuestsDirectoryComesThatOfTheHost) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  bench.map_guest(0x7000, 0x3000);
  const auto nested = nested_directory(bench, device);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  const auto process = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(process->map(0x7000, 0x60000, 0x1000, kReadWrite), 0);
  ASSERT_EQ(device.attach(*process), 0);
  EXPECT_EQ(bench.dma(5, 0x7000), 0x60000U);
  EXPECT_EQ(bench.dma(5, 0x7000, false, 3), ModelBench::kNowhere);
  ASSERT_EQ(device.attach_nested(*nested), 0);
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  EXPECT_EQ(bench.dma(5, 0x7000, false, 3), bench.spa(0x3000));
  device.block();
}

// The driver does not know which PASIDs the guest uses.
TEST(NestedDomain, CachesOfDevicesForgetEveryProcessOfAGuest) {
  RiscvIommuOptions options;
  options.ats = true;
  for (const bool global : {false, true}) {
    GuestBench bench(everything(), options);
    DeviceDescription description;
    description.device_ids = {24};
    description.ats = true;
    description.invalidation_depth = 1;
    description.global_invalidation = global;
    RiscvDevice& device = bench.add(description);
    bench.build_parent(device);
    const auto nested = nested_directory(bench, device);
    ASSERT_EQ(device.attach_nested(*nested), 0);
    EXPECT_EQ(device.atc().on(), global) << "or there is no cache to forget";
    const std::size_t before = bench.messages.sent.size();
    EXPECT_EQ(ModelBench::unmap(*bench.parent, 0, 0x1000), 0x1000U);
    ASSERT_EQ(bench.messages.sent.size(), before + (global ? 2 : 0));
    if (global) {
      EXPECT_FALSE(bench.messages.sent[before].process_valid);
      EXPECT_TRUE(bench.messages.sent[before + 1].process_valid);
      EXPECT_EQ(bench.messages.sent[before].payload, 0x7ffffffffffff800U) << "everything: the range is the parent's";
      EXPECT_EQ(bench.messages.sent[before + 1].payload, 0x7ffffffffffff801U);
    }
    device.block();
  }
}

TEST(NestedDomain, WhatTheGuestSaysIsJudged) {
  spec::Implementation implementation = everything();
  implementation.sv57 = implementation.pd17 = implementation.amo_hwad = false;
  GuestBench bench(implementation);
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  std::unique_ptr<domain::NestedDomain> out;
  const auto alloc = [&](const uapi::hwpt_riscv_stage1& stage1) {
    return device.alloc_nested(*bench.parent, 0, bench.data(stage1), out);
  };
  const auto of = [](std::uint32_t flags, std::uint64_t mode, std::uint32_t pscid = 1) {
    return uapi::hwpt_riscv_stage1{flags, pscid, mode << 60 | 5, {0, 0}};
  };
  EXPECT_EQ(alloc(of(0, 0)), 0) << "Bare";
  EXPECT_EQ(alloc(of(0, 8)), 0);
  EXPECT_EQ(alloc(of(0, 9)), 0);
  EXPECT_EQ(alloc(of(0, 10)), EINVAL) << "no Sv57";
  EXPECT_EQ(alloc(of(0, 11)), EINVAL);
  EXPECT_EQ(alloc(of(0, 1)), EINVAL);
  EXPECT_EQ(alloc(of(1, 0)), 0);
  EXPECT_EQ(alloc(of(1, 1)), 0);
  EXPECT_EQ(alloc(of(1, 2)), EINVAL) << "no PD17";
  EXPECT_EQ(alloc(of(1, 3)), 0);
  EXPECT_EQ(alloc(of(1, 8)), EINVAL);
  EXPECT_EQ(alloc(of(2, 8)), EINVAL) << "a default process without processes";
  EXPECT_EQ(alloc(of(4, 8)), EINVAL) << "no AMO_HWAD";
  EXPECT_EQ(alloc(of(8, 8)), EOPNOTSUPP) << "an unknown flag";
  EXPECT_EQ(alloc(of(0, 8, 1 << 20)), EINVAL);
  EXPECT_EQ(alloc({0, 1, 8ULL << 60 | 1ULL << 44, {0, 0}}), EINVAL) << "a reserved bit";
  EXPECT_EQ(alloc({0, 1, 8ULL << 60 | 5, {1, 0}}), EINVAL);
  EXPECT_EQ(alloc({0, 1, 8ULL << 60 | 5, {0, 1}}), EINVAL);
  EXPECT_EQ(alloc({0, 1, 8ULL << 60 | 1ULL << 43, {0, 0}}), 0) << "2^55, within 59 bits";

  const uapi::hwpt_riscv_stage1 good = of(0, 8);
  domain::UserData data = bench.data(good);
  EXPECT_EQ(device.alloc_nested(*bench.parent, domain::kForPasids, data, out), EOPNOTSUPP);
  data.type = 1;
  EXPECT_EQ(device.alloc_nested(*bench.parent, 0, data, out), EOPNOTSUPP);
  data = bench.data(good);
  data.length = 31;
  EXPECT_EQ(device.alloc_nested(*bench.parent, 0, data, out), EINVAL);
  data.length = 33;
  EXPECT_EQ(device.alloc_nested(*bench.parent, 0, data, out), EINVAL);
  data.length = 32;
  data.address = 0x666000;
  EXPECT_EQ(device.alloc_nested(*bench.parent, 0, data, out), EFAULT);
  const auto plain = bench.alloc(device);
  EXPECT_EQ(device.alloc_nested(*plain, 0, bench.data(good), out), EINVAL) << "not a parent";
}

TEST(NestedDomain, InvalidationsStopAtTheFirstError) {
  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  bench.build_parent(device);
  auto nested = bench.nested(device);
  std::uint32_t done = 0;
  EXPECT_EQ(nested->invalidate(bench.commands({iotinval_all(), Command{0x7f, 0}, iotinval_all()}), done), EOPNOTSUPP);
  EXPECT_EQ(done, 1U);
  done = 0;
  domain::UserArray array = bench.commands({iotinval_all()});
  array.entry_length = 24;
  EXPECT_EQ(nested->invalidate(array, done), EINVAL);
  array = bench.commands({iotinval_all()});
  array.type = 0;
  EXPECT_EQ(nested->invalidate(array, done), EINVAL);
  array = bench.commands({iotinval_all()});
  array.count = 2;
  array.address = GuestBench::kUser + 0x1000 - 16;
  const Command last = iotinval_all();
  ASSERT_EQ(bench.user.copy_to_user(array.address, last.data(), 16), 0);
  EXPECT_EQ(nested->invalidate(array, done), EFAULT) << "the second is not there";
  EXPECT_EQ(done, 1U);
  done = 0;
  array = bench.commands({});
  EXPECT_EQ(nested->invalidate(array, done), 0) << "a probe of the type";
}

TEST(NestedDomain, AttachSuitsTheIommuOfTheDevice) {
  GuestBench bench;
  RiscvDevice &device = bench.add(5), &with_pasids = bench.add(6);
  bench.build_parent(device);
  auto nested = bench.nested(device);
  const auto process = bench.alloc(device, domain::kForPasids);
  ASSERT_EQ(with_pasids.attach_pasid(1, *process), 0);
  EXPECT_EQ(with_pasids.attach_nested(*nested), EINVAL);
  with_pasids.block_everything();
  EXPECT_EQ(with_pasids.attach_nested(*nested), 0);
  EXPECT_EQ(with_pasids.attach(*bench.parent), 0) << "from child to parent, which is the same second stage";
  EXPECT_EQ(bench.dma(6, 0x3123), bench.spa(0x3123));
  EXPECT_EQ(with_pasids.attach_nested(*nested), 0);
  with_pasids.block();
}

TEST(NestedDomain, CommandsOfAnUnmapNameTheGuest) {
  ScriptedIommu::Script script;
  script.capabilities |= hw::capabilities::kSv48x4Mask;
  Bench bench(script);
  RiscvIommu iommu(bench.ports, bench.system, small_queues());
  ASSERT_EQ(iommu.probe(), 0);
  int error = -1;
  RiscvDevice* const device = iommu.add_device({{5}, 0, {}}, error);
  std::unique_ptr<domain::Domain> parent;
  ASSERT_EQ(device->alloc_paging({domain::kNestParent, {}}, parent), 0);
  hal::SimProcess user(bench.os, bench.hardware.memory(), bench.frames);
  ASSERT_EQ(user.map_frames(0x1000, 0x1000, hal::kUserRead | hal::kUserWrite), 0);
  const uapi::hwpt_riscv_stage1 stage1{0, 40, 8ULL << 60 | 0x55, {0, 0}};
  ASSERT_EQ(user.copy_to_user(0x1000, &stage1, sizeof stage1), 0);
  std::unique_ptr<domain::NestedDomain> nested;
  ASSERT_EQ(device->alloc_nested(*parent, 0, {&user, uapi::kHwptDataRiscvStage1, sizeof stage1, 0x1000}, nested), 0);
  (void)bench.hardware.take();
  ASSERT_EQ(device->attach_nested(*nested), 0);
  EXPECT_EQ(bench.hardware.take(),
            (Events{"INVAL_DDT did=5", "IOTINVAL.VMA gscid=1", "IOTINVAL.GVMA gscid=1", "IOFENCE.C pr pw"}));
  const auto unmap = [&](std::uint64_t iova) {
    EXPECT_EQ(parent->map(iova, 0x40000, 0x1000, domain::kRead), 0);
    (void)bench.hardware.take();
    EXPECT_EQ(ModelBench::unmap(*parent, iova, 0x1000), 0x1000U);
    return bench.hardware.take();
  };
  EXPECT_EQ(unmap(0x7000), (Events{"IOTINVAL.GVMA gscid=1 addr=0x7000", "IOTINVAL.VMA gscid=1", "IOFENCE.C pr pw"}));
  EXPECT_EQ(unmap(0x55000), (Events{"IOTINVAL.GVMA gscid=1 addr=0x55000", "IOTINVAL.VMA gscid=1", "INVAL_DDT did=5",
                                    "IOFENCE.C pr pw"}))
      << "the root of the guest's table was there";
  ASSERT_EQ(device->attach(*parent), 0);
  EXPECT_EQ(unmap(0x7000), (Events{"IOTINVAL.GVMA gscid=1 addr=0x7000", "IOFENCE.C pr pw"})) << "no child any more";
  device->block();
  nested.reset();
  parent.reset();
  iommu.remove();
  EXPECT_EQ(bench.system.gscids_in_use(), 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
