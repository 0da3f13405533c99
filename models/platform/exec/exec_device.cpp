// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_device.h"

#include <cstdio>

#include "devices/dma_engine.h"
#include "devices/pci_test.h"
#include "platform/checks.h"
#include "traces/event.h"

namespace iommusim::platform {

namespace {

namespace test_hw = device_hw::pci_test;
namespace engine_hw = device_hw::dma_engine;

vfio::PciIdentity pci_test_identity() {
  vfio::PciIdentity identity;
  identity.vendor = test_hw::kVendor;
  identity.device = test_hw::kDevice;
  identity.class_code = 0x00FF00;
  identity.bars[0] = {test_hw::kBarBytes, false, false, false, true};
  identity.msi_vectors = 1;
  return identity;
}

vfio::PciIdentity dma_engine_identity(const devices::DmaEngineParams& params) {
  vfio::PciIdentity identity;
  identity.vendor = engine_hw::kVendor;
  identity.device = engine_hw::kDevice;
  identity.class_code = 0x080100;  // a DMA controller
  identity.bars[0] = {engine_hw::kBarBytes, true, false, false, true};
  identity.msix.vectors = params.channels;
  identity.msix.table_offset = engine_hw::kMsixTable;
  identity.msix.pending_offset = engine_hw::kMsixPending;
  identity.pasid_bits = 20;
  return identity;
}

std::string bdf_of(const DeviceParams& device) {
  return device.kind == DeviceKind::kPciTest ? device.pci_test.bdf : device.dma_engine.bdf;
}

vfio::PciIdentity identity_of(const SystemParams& system, const DeviceParams& device) {
  vfio::PciIdentity identity =
      device.kind == DeviceKind::kPciTest ? pci_test_identity() : dma_engine_identity(device.dma_engine);
  identity.ats = device.atc.present && system.software.ats;
  identity.page_requests = identity.ats && device.atc.pri;
  if (device.pasid.bits != 0) identity.pasid_bits = device.pasid.bits;
  return identity;
}

std::string address_of(std::uint32_t id) {
  char text[16];
  std::snprintf(text, sizeof text, "0000:%02x:%02x.%x", id >> 8 & 0xff, id >> 3 & 0x1f, id & 7);
  return text;
}

}  // namespace

std::vector<ExecSlot> exec_slots(const SystemParams& params) {
  if (!params.iommus.empty()) throw ParameterError("iommus", "exec runs with one IOMMU, expected none here");
  if (params.software.stack != Stack::kIommufd)
    throw ParameterError("software.stack", "exec is about programs over iommufd, expected iommufd");
  std::vector<ExecSlot> slots;
  for (const auto& [name, device] : params.devices) {
    if (device.kind != DeviceKind::kPciTest && device.kind != DeviceKind::kDmaEngine)
      throw ParameterError("devices." + name + ".kind",
                           "it has software of its own, expected pci_test or dma_engine under exec");
    const std::uint32_t id = traces::parse_source(bdf_of(device)).key();
    slots.push_back({name, address_of(id), id, identity_of(params, device)});
  }
  if (slots.empty()) throw ParameterError("devices", "there is none, expected at least one");
  return slots;
}

std::unique_ptr<devices::PciModel> make_pci_model(const std::string& name, const DeviceParams& params,
                                                  stats::Group& parent) {
  if (params.kind == DeviceKind::kPciTest)
    return std::make_unique<devices::PciTest>(name.c_str(), params.pci_test, parent);
  return std::make_unique<devices::DmaEngine>(name.c_str(), params.dma_engine, parent);
}

}  // namespace iommusim::platform
