// SPDX-License-Identifier: Apache-2.0
// The parts of a System, for its own code and for reports; users of a system need system.h alone.
#pragma once

#include <deque>
#include <optional>

#include "hal_systemc/systemc_os.h"
#include "hal_systemc/tlm_memory.h"
#include "hal_systemc/tlm_mmio.h"
#include "platform/iommu_side.h"
#include "platform/kernel.h"
#include "platform/peer_to_peer.h"
#include "platform/system.h"
#include "platform/tables.h"
#include "tlm/interconnect.h"
#include "tlm/iommu.h"
#include "tlm/memory_injection.h"
#include "tlm/message_window.h"

namespace iommusim::platform {

struct System::Parts {
  Parts(const SystemParams& system, const WorkloadMaker& more);

  void inject();
  std::vector<Kernel::IommuPorts> make_more_iommus();
  bus::Interconnect& bus_of(const std::string& iommu_name);
  timing::EngineStats& iommu_statistics() { return iommu.statistics(); }
  const SoftwareStats& software_statistics() const { return kernel.statistics(); }
  const IoctlStats& ioctl_statistics(std::uint32_t command) { return kernel.statistics().of(command); }

  SystemParams params;
  stats::Group root{"system"};
  const WorkloadMaker more;  ///< used while the workloads are made
  hal::SystemcOs os;
  bus::Memory memory;
  std::unique_ptr<bus::PeerBars> peer_bars;  ///< when a device has a BAR
  bus::MessageWindow messages;
  bus::Iommu iommu;
  std::optional<Tables> tables;  ///< instead of a driver
  std::vector<std::unique_ptr<Workload>> workloads;
  Topology topology;
  std::unique_ptr<bus::Interconnect> bus;
  hal::TlmMmio mmio;
  hal::TlmMemory software_memory;
  hal::SystemcInterrupts interrupts;
  InterruptBridge bridge;
  std::unique_ptr<bus::PeerRouter> peers;
  std::deque<IommuSide> more_iommus;
  Kernel kernel;
  std::unique_ptr<timing::Injector> injector;  ///< when something is injected
  std::unique_ptr<bus::MemoryInjection> memory_injection;
  bool started = false;
  std::optional<stats::Identity> received;  ///< nothing is lost between the IOMMU's port and memory
  bool finished = false;
  const char* phase = "boot";
  base::Picoseconds workload_start = 0;
  base::Picoseconds workload_end = 0;
  base::Picoseconds end = 0;
};

}  // namespace iommusim::platform
