// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_device.h"

#include <gtest/gtest.h>

#include "platform/checks.h"
#include "unit/platform/exec/exec_rig.h"

namespace iommusim::platform {
namespace {

TEST(ExecDevice, SlotsAreInOrderOfNamesWithTheirAddresses) {
  SystemParams params = exec_rig::two_devices();
  params.devices["test"].pci_test.bdf = "a1:1f.7";
  const std::vector<ExecSlot> slots = exec_slots(params);
  ASSERT_EQ(slots.size(), 2U);
  EXPECT_EQ(slots[0].name, "engine");
  EXPECT_EQ(slots[0].address, "0000:00:05.0");
  EXPECT_EQ(slots[0].identity.msix.vectors, 4U);
  EXPECT_EQ(slots[1].address, "0000:a1:1f.7");
  EXPECT_EQ(slots[1].id, 0xa1ffU);
  EXPECT_EQ(slots[1].identity.vendor, 0x1234);
  EXPECT_EQ(slots[1].identity.device, 0x11e9);
  EXPECT_EQ(slots[1].identity.bars[0].bytes, 4096U);
  EXPECT_EQ(slots[1].identity.bars[1].bytes, 0U);
}

TEST(ExecDevice, AtsNeedsTheDeviceAndTheDriver) {
  SystemParams params = exec_rig::two_devices();
  params.devices["test"].atc.present = true;
  EXPECT_FALSE(exec_slots(params)[1].identity.ats);
  params.software.ats = true;
  EXPECT_TRUE(exec_slots(params)[1].identity.ats);
  EXPECT_TRUE(exec_slots(params)[1].identity.page_requests);
  EXPECT_FALSE(exec_slots(params)[0].identity.ats);
}

TEST(ExecDevice, WhatExecCannotRunIsRefusedByItsParameter) {
  const auto refused = [](const SystemParams& params) -> std::string {
    try {
      (void)exec_slots(params);
    } catch (const ParameterError& error) {
      return error.path();
    }
    return {};
  };
  SystemParams params = exec_rig::two_devices();
  params.devices["x"].kind = DeviceKind::kUniform;
  EXPECT_EQ(refused(params), "devices.x.kind");
  params = exec_rig::two_devices();
  params.iommus["second"];
  EXPECT_EQ(refused(params), "iommus");
  params = exec_rig::two_devices();
  params.software.stack = Stack::kKernel;
  EXPECT_EQ(refused(params), "software.stack");
  params = exec_rig::two_devices();
  params.devices.clear();
  EXPECT_EQ(refused(params), "devices");
}

}  // namespace
}  // namespace iommusim::platform
