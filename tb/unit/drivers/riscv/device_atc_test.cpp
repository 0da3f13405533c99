// SPDX-License-Identifier: Apache-2.0
// ATS in the driver: contexts, the order of invalidations, the queue depth of a device, and devices that do not answer.
#include "drivers/riscv/device_atc.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

RiscvIommuOptions with_ats() {
  RiscvIommuOptions options;
  options.page_sizes = 1ULL << 12;
  options.ats = true;
  return options;
}

ScriptedIommu::Script ats_script(unsigned silent = 0) {
  ScriptedIommu::Script script;
  script.capabilities |= hw::capabilities::kAtsMask;
  script.silent_invalidations = silent;
  return script;
}

DeviceDescription ats_device(bool pri = true) {
  DeviceDescription description;
  description.device_ids = {24};
  description.ats = true;
  description.pri = pri;
  return description;
}

struct Rig {
  explicit Rig(const ScriptedIommu::Script& script = ats_script(), const DeviceDescription& description = ats_device(),
               const RiscvIommuOptions& options = with_ats())
      : bench(script), iommu(bench.ports, bench.system, options) {
    EXPECT_EQ(iommu.probe(), 0);
    int error = -1;
    device = iommu.add_device(description, error);
    EXPECT_EQ(iommu.directory().locate(24, context), 0);
    EXPECT_EQ(device->alloc_domain(domain), 0);
    EXPECT_EQ(device->attach(*domain), 0);
    (void)bench.hardware.take();
    bench.os.while_waiting = [this] {
      if (bench.hardware.peek(hw::kIpsrOffset) & hw::ipsr::kCipMask) bench.interrupts.fire(0);
    };
  }
  ~Rig() {
    device->block();
    domain.reset();
    iommu.remove();
    EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  }
  Events unmap(std::uint64_t iova, std::uint64_t bytes) {
    EXPECT_EQ(domain->map(iova, 0x40000, bytes, domain::kRead | domain::kWrite), 0);
    (void)bench.hardware.take();
    domain::Gather gather;
    domain->unmap(iova, bytes, gather);
    domain->sync(gather);
    Events commands;
    for (const std::string& event : bench.hardware.take())
      if (event.rfind("write", 0) != 0) commands.push_back(event);
    return commands;
  }
  std::uint64_t tc() { return bench.hardware.memory().load64(context); }

  Bench bench;
  RiscvIommu iommu;
  RiscvDevice* device = nullptr;
  std::unique_ptr<domain::Domain> domain;
  std::uint64_t context = 0;
};

TEST(DeviceAtc, ContextsHaveAtsAsFarAsEverybodyWantsIt) {
  EXPECT_EQ(Rig().tc(), hw::dc_tc::kVMask | hw::dc_tc::kEnAtsMask | hw::dc_tc::kEnPriMask);
  EXPECT_EQ(Rig(ats_script(), ats_device(false)).tc(), hw::dc_tc::kVMask | hw::dc_tc::kEnAtsMask);
  EXPECT_EQ(Rig(ScriptedIommu::Script()).tc(), hw::dc_tc::kVMask) << "the IOMMU has no ATS";
  EXPECT_EQ(Rig(ats_script(), ats_device(), RiscvIommuOptions()).tc(), hw::dc_tc::kVMask) << "the default";
  Rig rig;
  EXPECT_TRUE(rig.device->capable(domain::Capability::kPageRequests));
  rig.device->block();
  EXPECT_EQ(rig.tc(), 0U);
}

TEST(DeviceAtc, TheDeviceForgetsAfterTheIommu) {
  Rig rig;
  EXPECT_EQ(rig.unmap(0x10000, 0x2000),
            (Events{"IOTINVAL.VMA pscid=1 addr=0x10000", "IOTINVAL.VMA pscid=1 addr=0x11000", "IOFENCE.C",
                    "ATS.INVAL rid=24 0x10800", "IOFENCE.C pr pw"}));
}

TEST(DeviceAtc, OnDetachItForgetsEverythingAfterItsContextIsGone) {
  Rig rig;
  rig.bench.hardware.memory().watch(rig.context, 8, "tc");
  rig.device->block();
  Events events = rig.bench.hardware.take();
  events.erase(std::remove_if(events.begin(), events.end(), [](auto& e) { return e.rfind("write", 0) == 0; }),
               events.end());
  ASSERT_GE(events.size(), 6U);
  events.resize(6);
  EXPECT_EQ(events, (Events{"tc+0 = 0x6", "INVAL_DDT did=24", "IOTINVAL.VMA pscid=1", "IOFENCE.C pr pw",
                            "ATS.INVAL rid=24 0x7ffffffffffff800", "IOFENCE.C pr pw"}));
}

TEST(DeviceAtc, AfterATimeOutTheDeviceIsAskedAgain) {
  Rig rig(ats_script(1));
  const Events events = rig.unmap(0x10000, 0x1000);
  EXPECT_EQ(std::count(events.begin(), events.end(), "ATS.INVAL rid=24 0x10000"), 2);
  EXPECT_EQ(events.back(), "IOFENCE.C pr pw");
  EXPECT_TRUE(rig.device->atc().on());
  EXPECT_EQ(rig.iommu.commands().time_outs(), 1U);
  EXPECT_NE(rig.tc() & hw::dc_tc::kEnAtsMask, 0U);
}

TEST(DeviceAtc, WhoNeverAnswersLosesAts) {
  Rig rig(ats_script(~0U));
  Events events = rig.unmap(0x10000, 0x1000);
  EXPECT_EQ(std::count(events.begin(), events.end(), "ATS.INVAL rid=24 0x10000"), 3);
  events.erase(events.begin(), events.end() - 2);
  EXPECT_EQ(events, (Events{"INVAL_DDT did=24", "IOFENCE.C pr pw"})) << "no translated request passes any more";
  EXPECT_EQ(rig.tc(), hw::dc_tc::kVMask);
  EXPECT_FALSE(rig.device->capable(domain::Capability::kAts));
  EXPECT_EQ(rig.unmap(0x10000, 0x1000), (Events{"IOTINVAL.VMA pscid=1 addr=0x10000", "IOFENCE.C pr pw"}));
  rig.device->block();
  EXPECT_EQ(rig.device->attach(*rig.domain), 0);
  EXPECT_EQ(rig.tc(), hw::dc_tc::kVMask) << "not at the next attach either: what it holds is not known";
}

TEST(DeviceAtc, NoMoreAreOutstandingThanTheDeviceQueues) {
  Bench bench(ats_script());
  hal::ThreadOs os;
  CommandQueue commands(bench.ports);
  ASSERT_EQ(commands.enable(4), 0);
  {
    DeviceAtc atc(os, commands, {24}, 2);
    atc.set_on(true);
    const DeviceAtc::Begun first = atc.begin(0x1000, 0x1fff);
    ASSERT_EQ(first.error, 0);
    ASSERT_EQ(atc.begin(0x2000, 0x2fff).error, 0);
    std::atomic<bool> third{false};
    std::thread waiter([&] {
      EXPECT_EQ(atc.begin(0x3000, 0x3fff).error, 0);
      third = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(third);
    EXPECT_TRUE(atc.end(first));
    waiter.join();
    EXPECT_TRUE(third);
  }
  commands.disable();
}

TEST(DeviceAtc, FaultsGoToTheHandlerOnlyWithPageRequests) {
  struct Nobody : domain::PageFaultHandler {
    void page_fault(const domain::PageFaultGroup&) override {}
  } handler;
  Rig without(ats_script(), ats_device(false));
  EXPECT_EQ(without.device->set_page_fault_handler(&handler), EOPNOTSUPP);
  Rig with;
  EXPECT_EQ(with.device->set_page_fault_handler(&handler), 0);
  EXPECT_EQ(with.device->set_page_fault_handler(nullptr), 0);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
