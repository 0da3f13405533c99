// SPDX-License-Identifier: Apache-2.0
// Each command that a guest may write, each reserved bit of it, and what reaches the hardware.
#include "drivers/riscv/guest_commands.h"

#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct GuestCommandsTest : ::testing::Test {
  GuestCommandsTest() { restart(hw::capabilities::kPd17Mask | hw::capabilities::kAtsMask); }
  ~GuestCommandsTest() override { iommu->remove(); }
  void restart(std::uint64_t capabilities) {
    if (iommu) iommu->remove();
    ScriptedIommu::Script script;
    script.capabilities |= capabilities;
    RiscvIommuOptions options = small_queues();
    options.ats = true;
    bench = std::make_unique<Bench>(script);
    iommu = std::make_unique<RiscvIommu>(bench->ports, bench->system, options);
    ASSERT_EQ(iommu->probe(), 0);
    DeviceDescription description;
    description.device_ids = {8, 9};
    description.ats = true;
    int error = -1;
    device = iommu->add_device(description, error);
    (void)bench->hardware.take();
  }
  int run(const Command& command, bool with_devices = true) {
    GuestDevices devices;
    if (with_devices) {
      devices.find = [&](std::uint32_t id) { return id == 0x33 ? device : nullptr; };
      devices.for_each = [&](const std::function<void(RiscvDevice&)>& action) { action(*device); };
    }
    GuestCommands commands(*iommu, 77, std::move(devices));
    const int error = commands.run({{command[0], command[1]}});
    EXPECT_EQ(commands.finish(), 0);
    events = bench->hardware.take();
    return error;
  }
  /// Bits of a command that make it EINVAL or EOPNOTSUPP, one at a time.
  std::array<std::uint64_t, 2> refused_bits(const Command& command, bool with_devices = true) {
    std::array<std::uint64_t, 2> refused{};
    for (unsigned word = 0; word < 2; ++word)
      for (unsigned bit = 0; bit < 64; ++bit) {
        Command changed = command;
        changed[word] ^= 1ULL << bit;
        const int error = run(changed, with_devices);
        if (error == EINVAL || error == EOPNOTSUPP) refused[word] |= 1ULL << bit;
      }
    return refused;
  }

  std::unique_ptr<Bench> bench;
  std::unique_ptr<RiscvIommu> iommu;
  RiscvDevice* device = nullptr;
  Events events;
};

TEST_F(GuestCommandsTest, TranslationsAreForgottenInTheGuestsNumber) {
  EXPECT_EQ(run(iotinval_all()), 0);
  EXPECT_EQ(events, (Events{"IOTINVAL.VMA gscid=77", "IOFENCE.C pr pw"}));
  EXPECT_EQ(run(iotinval_page(5, 0x4000)), 0);
  EXPECT_EQ(events[0], "IOTINVAL.VMA gscid=77 pscid=5 addr=0x4000");
  EXPECT_EQ(run(iotinval_of_guest(3)), 0) << "what the guest calls a guest does not count";
  EXPECT_EQ(events[0], "IOTINVAL.VMA gscid=77");
  EXPECT_EQ(run(iotinval_second_stage(3)), EOPNOTSUPP) << "it has no second stage";
}

TEST_F(GuestCommandsTest, ReservedBitsOfIotinval) {
  const auto refused = refused_bits(iotinval_page(5, 0x4000));
  EXPECT_EQ(refused[0], 0xf000'0ffc'0000'0bffULL | 0x7f) << "all but AV, PSCID, PSCV, GV, GSCID";
  EXPECT_EQ(refused[1], 0xc000'0000'0000'03ffULL);
}

TEST_F(GuestCommandsTest, ExtensionsAsTheHardwareHasThem) {
  const Command range = narrowed(iotinval_all(), 0x4000, 14), deep = with_non_leaf(iotinval_page(5, 0x4000));
  EXPECT_EQ(run(range), EINVAL);
  EXPECT_EQ(run(deep), EINVAL);
  restart(hw::capabilities::kSMask | hw::capabilities::kNlMask);
  EXPECT_EQ(run(range), 0);
  EXPECT_EQ(events[0], "IOTINVAL.VMA gscid=77 addr=0x5000 s");
  EXPECT_EQ(run(deep), 0);
  Command everything = range;
  everything[1] |= hw::iotinval_w1::kAddrMask;
  EXPECT_EQ(run(everything), EINVAL) << "UNSPECIFIED";
}

TEST_F(GuestCommandsTest, FencesOrderAndDoNothingElse) {
  EXPECT_EQ(run(iofence()), 0);
  EXPECT_EQ(events, (Events{"IOFENCE.C pr pw"}));
  const auto refused = refused_bits(iofence());
  EXPECT_EQ(refused[0], ~(hw::iofence_w0::kPrMask | hw::iofence_w0::kPwMask));
  EXPECT_EQ(refused[1], ~0ULL);
}

TEST_F(GuestCommandsTest, ContextsAreThoseOfItsDevices) {
  EXPECT_EQ(run(inval_ddt(0x33)), 0);
  EXPECT_EQ(events, (Events{"INVAL_DDT did=8", "INVAL_DDT did=9", "IOFENCE.C pr pw"}));
  EXPECT_EQ(run(inval_ddt_all()), 0);
  EXPECT_EQ(events, (Events{"INVAL_DDT did=8", "INVAL_DDT did=9", "IOFENCE.C pr pw"})) << "never those of others";
  EXPECT_EQ(run(inval_pdt(0x33, 0x1ffff)), 0);
  EXPECT_EQ(events[0], "INVAL_PDT did=8 pid=131071");
  EXPECT_EQ(run(inval_pdt(0x33, 0x20000)), EINVAL) << "wider than PD17";
  Command nobody = inval_pdt(0x33, 1);
  nobody[0] &= ~hw::iodir_w0::kDvMask;
  EXPECT_EQ(run(nobody), EINVAL);
  Command with_process = inval_ddt(0x33);
  with_process[0] |= 1ULL << hw::iodir_w0::kPidShift;
  EXPECT_EQ(run(with_process), EINVAL);
  EXPECT_EQ(run(inval_ddt(8)), EIO);
  EXPECT_EQ(run(inval_ddt(0x33), false), EOPNOTSUPP) << "without a vIOMMU devices have no names";
  EXPECT_EQ(refused_bits(inval_ddt(0x33))[1], ~0ULL);
}

TEST_F(GuestCommandsTest, CachesOfDevices) {
  EXPECT_EQ(run(ats_inval(0x33, 0x4000, 0x5fff)), 0);
  EXPECT_EQ(events, (Events{"IOFENCE.C pr pw"})) << "it has no ATS at present";
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device->alloc_domain(domain), 0);
  ASSERT_EQ(device->attach(*domain), 0);
  (void)bench->hardware.take();
  EXPECT_EQ(run(ats_inval(0x33, 0x4000, 0x5fff)), 0);
  EXPECT_EQ(events, (Events{"IOFENCE.C pr pw", "ATS.INVAL rid=8 0x4800", "ATS.INVAL rid=9 0x4800", "IOFENCE.C pr pw",
                            "IOFENCE.C pr pw"}));
  EXPECT_EQ(run(ats_inval_of_process(0x33, 3, 0, ~0ULL)), 0);
  EXPECT_EQ(events[1], "ATS.INVAL rid=8 pid=3 0x7ffffffffffff800");
  EXPECT_EQ(run(ats_inval(0x34, 0, 0xfff)), EIO);
  EXPECT_EQ(run(ats_prgr(0x33, 1, 0)), EOPNOTSUPP) << "answers go by the fault queue";
  EXPECT_EQ(run(ats_inval(0x33, 0, 0xfff), false), EOPNOTSUPP);
  device->block();
}

TEST_F(GuestCommandsTest, WhatIsNoCommandOfAnIommuIsRefused) {
  for (const std::uint64_t opcode : {0, 5, 63, 64, 127}) EXPECT_EQ(run({opcode, 0}), EOPNOTSUPP);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
