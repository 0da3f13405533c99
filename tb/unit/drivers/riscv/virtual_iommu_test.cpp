// SPDX-License-Identifier: Apache-2.0
// vIOMMUs: guests that share a parent and number their spaces alike, commands that name virtual devices, events, and
// what is not offered.
#include "drivers/riscv/virtual_iommu.h"

#include <cerrno>

#include "guest_bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct EventLog final : domain::VirtualIommuPorts {
  int report_event(std::uint32_t type, const void* data, std::size_t bytes) override {
    EXPECT_EQ(type, uapi::kVeventRiscvFault);
    EXPECT_EQ(bytes, sizeof(uapi::vevent_riscv_fault));
    std::memcpy(&events.emplace_back(), data, sizeof(uapi::vevent_riscv_fault));
    return 0;
  }
  int announce_mmap(std::uint64_t, std::uint64_t, std::uint64_t&) override { return ENOMEM; }
  void retract_mmap(std::uint64_t) override {}
  std::vector<uapi::vevent_riscv_fault> events;
};

struct VirtualIommuTest : ::testing::Test {
  VirtualIommuTest() { bench.build_parent(device); }
  ~VirtualIommuTest() override {
    device.block();
    other.block();
  }
  std::unique_ptr<domain::VirtualIommu> viommu() {
    std::unique_ptr<domain::VirtualIommu> out;
    EXPECT_EQ(device.alloc_virtual_iommu({uapi::kViommuRiscv, bench.parent.get(), {}, &log}, out), 0);
    return out;
  }
  std::unique_ptr<domain::NestedDomain> nested(domain::VirtualIommu& in) {
    std::unique_ptr<domain::NestedDomain> out;
    EXPECT_EQ(in.alloc_nested(device, 0, bench.data(bench.stage1()), out), 0);
    return out;
  }
  int run(domain::VirtualIommu& in, std::initializer_list<Command> commands) {
    done = 0;
    return in.invalidate(bench.commands(commands), done);
  }

  GuestBench bench;
  RiscvDevice& device = bench.add(5);
  RiscvDevice& other = bench.add(6);
  EventLog log;
  std::uint32_t done = 0;
};

TEST_F(VirtualIommuTest, IsOfferedWithASecondStageOnly) {
  EXPECT_TRUE(device.can_nest());
  EXPECT_TRUE(device.offers_virtual_iommu(uapi::kViommuRiscv));
  EXPECT_FALSE(device.offers_virtual_iommu(1));
  std::unique_ptr<domain::VirtualIommu> out;
  EXPECT_EQ(device.alloc_virtual_iommu({1, bench.parent.get(), {}, &log}, out), EOPNOTSUPP);
  EXPECT_EQ(device.alloc_virtual_iommu({uapi::kViommuRiscv, bench.parent.get(), bench.data({}), &log}, out), EOPNOTSUPP)
      << "it takes no data";
  const auto plain = bench.alloc(device);
  EXPECT_EQ(device.alloc_virtual_iommu({uapi::kViommuRiscv, plain.get(), {}, &log}, out), EINVAL);
  spec::Implementation without;
  without.sv39x4 = without.sv48x4 = without.sv57x4 = false;
  ModelBench single(without);
  RiscvDevice& first_stage_only = single.add(5);
  EXPECT_FALSE(first_stage_only.can_nest());
  EXPECT_FALSE(first_stage_only.offers_virtual_iommu(uapi::kViommuRiscv));
}

TEST_F(VirtualIommuTest, ADeviceNeedsItsNumberFirst) {
  auto guest = viommu();
  auto table = nested(*guest);
  EXPECT_EQ(device.attach_nested(*table), ENOENT);
  ASSERT_EQ(guest->add_device(device, 0x33), 0);
  EXPECT_EQ(device.attach_nested(*table), 0);
  EXPECT_EQ(guest->add_device(other, 1ULL << 24), EINVAL) << "no device id";
  device.block();
  guest->remove_device(device, 0x33);
}

// Both guests call their address space 40, over one parent and on one IOMMU.
TEST_F(VirtualIommuTest, GuestsOfOneParentAreToldApart) {
  auto first = viommu(), second = viommu();
  ASSERT_EQ(first->add_device(device, 1), 0);
  ASSERT_EQ(second->add_device(other, 1), 0);
  bench.map_guest(0x7000, 0x3000);
  auto table = nested(*first);
  // The second guest's root is at 0xc000, and says another page.
  bench.memory.store64(bench.spa(0xc000), 0xb000 >> 2 | 1);
  bench.memory.store64(bench.spa(0xb000), 0xa000 >> 2 | 1);
  bench.memory.store64(bench.spa(0xa000) + 7 * 8, 0x4000 >> 2 | 0xdf);
  std::unique_ptr<domain::NestedDomain> another;
  const uapi::hwpt_riscv_stage1 stage1{0, GuestBench::kPscid, hw::iosatp_mode::kSv39 << 60 | 0xc, {0, 0}};
  ASSERT_EQ(second->alloc_nested(other, 0, bench.data(stage1), another), 0);
  ASSERT_EQ(device.attach_nested(*table), 0);
  ASSERT_EQ(other.attach_nested(*another), 0);
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  EXPECT_EQ(bench.dma(6, 0x7000), bench.spa(0x4000));
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  EXPECT_EQ(bench.system.gscids_in_use(), 3U) << "and that of the parent";
  EXPECT_EQ(ModelBench::unmap(*bench.parent, 0, GuestBench::kBytes), GuestBench::kBytes);
  EXPECT_EQ(bench.dma(5, 0x7000), ModelBench::kNowhere);
  EXPECT_EQ(bench.dma(6, 0x7000), ModelBench::kNowhere);
  device.block();
  other.block();
  first->remove_device(device, 1);
  second->remove_device(other, 1);
}

TEST_F(VirtualIommuTest, CommandsNameVirtualDevices) {
  auto guest = viommu();
  ASSERT_EQ(guest->add_device(device, 0x33), 0);
  bench.map_guest(0x7000, 0x3000);
  auto table = nested(*guest);
  ASSERT_EQ(device.attach_nested(*table), 0);
  ASSERT_EQ(bench.dma(5, 0x7000), bench.spa(0x3000));
  bench.map_guest(0x7000, 0x5000);
  EXPECT_EQ(run(*guest,
                {iotinval_pscid(GuestBench::kPscid), iofence(), inval_ddt(0x33), inval_pdt(0x33, 2), inval_ddt_all()}),
            0);
  EXPECT_EQ(done, 5U);
  EXPECT_EQ(bench.dma(5, 0x7000), bench.spa(0x5000));
  EXPECT_EQ(run(*guest, {iotinval_all(), inval_ddt(5), iotinval_all()}), EIO) << "that is the host's number";
  EXPECT_EQ(done, 1U);
  device.block();
  guest->remove_device(device, 0x33);
  EXPECT_EQ(run(*guest, {inval_ddt(0x33)}), EIO);
}

TEST_F(VirtualIommuTest, AllEntriesAreFetchedBeforeTheFirstIsDone) {
  auto guest = viommu();
  domain::UserArray array = bench.commands({iotinval_all()});
  array.count = 500;  // beyond the page
  EXPECT_EQ(guest->invalidate(array, done), EFAULT);
  EXPECT_EQ(done, 0U);
  array = bench.commands({iotinval_all()});
  array.type = 1;
  EXPECT_EQ(guest->invalidate(array, done), EINVAL);
  array = bench.commands({iotinval_all(), Command{1, 0}});
  array.entry_length = 24;
  array.count = 1;
  EXPECT_EQ(guest->invalidate(array, done), E2BIG) << "more than is known";
}

TEST_F(VirtualIommuTest, FaultsOfTheGuestBecomeEvents) {
  auto guest = viommu();
  ASSERT_EQ(guest->add_device(device, 0x33), 0);
  bench.map_guest(0x7000, 0x3000);
  bench.map_guest(0x9000, 0x4000000);
  auto table = nested(*guest);
  ASSERT_EQ(device.attach_nested(*table), 0);
  EXPECT_EQ(bench.dma(5, 0x8000, true), ModelBench::kNowhere);
  EXPECT_EQ(bench.dma(5, 0x9000, true), ModelBench::kNowhere) << "not of the guest's making";
  EXPECT_EQ(bench.dma(6, 0x8000, true), ModelBench::kNowhere) << "another device";
  bench.serve();
  ASSERT_EQ(log.events.size(), 1U);
  const std::uint64_t word = log.events[0].record[0];
  EXPECT_EQ(word & 0xfff, 15U);
  EXPECT_EQ(word >> 40, 0x33U);
  EXPECT_EQ(log.events[0].record[2], 0x8000U);
  device.block();
  guest->remove_device(device, 0x33);
  EXPECT_EQ(bench.dma(5, 0x8000, true), ModelBench::kNowhere);
  bench.serve();
  EXPECT_EQ(log.events.size(), 1U);
}

TEST_F(VirtualIommuTest, HasNoQueuesForGuests) {
  auto guest = viommu();
  EXPECT_FALSE(guest->offers_hw_queue(0));
  EXPECT_FALSE(guest->offers_hw_queue(1));
  std::unique_ptr<domain::HwQueue> queue;
  EXPECT_EQ(guest->alloc_hw_queue({}, queue), EOPNOTSUPP);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
