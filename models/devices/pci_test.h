// SPDX-License-Identifier: Apache-2.0
// The PCI test device (device_hw/pci_test.h): a command moves 4 KiB between an IOVA and the device's buffer. A transfer
// that fails leaves the buffer as it was (memory may have some of it), and says so in a register of its own. Each end
// of a transfer sends message 0. Page requests are not its business: an ATC before it asks for pages and tries again.
#pragma once

#include <array>

#include "device_hw/pci_test.h"
#include "devices/dma_master.h"
#include "devices/pci_model.h"
#include "devices/pci_test_params.h"

namespace iommusim::devices {

class PciTest final : public bus::TimedModule, public PciModel, DmaClient, RegisterClient {
 public:
  PciTest(const sc_core::sc_module_name& name, const PciTestParams& params, stats::Group& parent);

  bus::InitiatorSocket& socket() override { return master_.socket(); }
  bus::TargetSocket& registers() override { return registers_.socket; }
  base::DeviceId device() const override { return device_; }
  void connect(InterruptSink* sink) override { sink_ = sink; }
  void set_bus_master(bool on) override;
  bool idle() const override { return state_ == State::kIdle && !moving_; }
  void reset() override;

  const PciTestStats& statistics() const { return stats_; }
  const DmaMaster& master() const override { return master_; }

 private:
  using Buffer = std::array<std::uint8_t, device_hw::pci_test::kTransferBytes>;
  enum class State : std::uint8_t { kIdle, kStarting, kMoving };

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override;
  void command(std::uint32_t value);
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { wake_at(bus::now_ps()); }
  base::Picoseconds work(base::Picoseconds now) override;

  PciTestParams params_;
  base::DeviceId device_;
  PciTestStats stats_;
  DmaMaster master_;
  RegisterPort registers_;
  InterruptSink* sink_ = nullptr;

  std::uint64_t address_ = 0;
  std::uint32_t command_ = 0, result_ = 0, transfers_ = 0;
  State state_ = State::kIdle;
  bool moving_ = false;     ///< a DMA is under way, perhaps one of before a reset
  bool forgotten_ = false;  ///< it is
  bool bus_master_ = true;
  base::Picoseconds start_ = 0;
  Buffer buffer_{}, in_flight_{};
};

}  // namespace iommusim::devices
