// SPDX-License-Identifier: Apache-2.0
// A further IOMMU of a system with all that is its own: bus, interrupt messages and wires, the processor's way to its
// registers. It shares memory with the others, at two ports of its own.
#pragma once

#include "hal_systemc/systemc_interrupts.h"
#include "hal_systemc/systemc_os.h"
#include "hal_systemc/tlm_mmio.h"
#include "platform/bus_maker.h"
#include "platform/peer_to_peer.h"
#include "tlm/iommu.h"
#include "tlm/memory.h"
#include "tlm/message_window.h"

namespace iommusim::platform {

/// Ends of an IOMMU's interrupt wires and messages: both raise the vector of the software's binding.
class InterruptBridge final : public bus::InterruptLines, public bus::MessageListener {
 public:
  explicit InterruptBridge(hal::SystemcInterrupts& interrupts) : interrupts_(interrupts) {}
  void set_level(unsigned vector, bool level) override { interrupts_.set_level(vector, level); }
  void message(std::uint64_t address, std::uint32_t data) override { interrupts_.deliver(address, data); }

 private:
  hal::SystemcInterrupts& interrupts_;
};

hal::TlmMmioParams mmio_params_of(const SystemParams& params);
/// Of all IOMMUs: two for each further one behind those of the first and the processor's.
std::vector<std::string> memory_ports_of(const SystemParams& params);

struct IommuSide {
  /// `first_port` of memory is for DMA, the next one for its own accesses.
  IommuSide(const std::string& name, const SystemParams& params, const Topology& topology,
            const std::vector<std::string>& port_names, hal::SystemcOs& os, bus::Memory& memory, unsigned first_port,
            bus::PeerBars* peer_bars, stats::Group& root);

  std::string name;
  bus::MessageWindow messages;
  bus::Iommu iommu;
  std::unique_ptr<bus::Interconnect> bus;
  hal::TlmMmio mmio;
  hal::SystemcInterrupts interrupts;
  InterruptBridge bridge;
  std::unique_ptr<bus::PeerRouter> peers;
  stats::Identity received;  ///< nothing is lost between its port and memory
};

}  // namespace iommusim::platform
