// SPDX-License-Identifier: Apache-2.0
// A whole system as parameters: what one YAML file says. Groups of components are described beside their code; here
// they are put together.
#pragma once

#include <map>
#include <string>

#include "devices/atc_params.h"
#include "devices/dma_engine_params.h"
#include "devices/nic_params.h"
#include "devices/nvme_params.h"
#include "devices/packets_params.h"
#include "devices/patterns.h"
#include "devices/pci_test_params.h"
#include "devices/trace_replay_params.h"
#include "platform/dma_params.h"
#include "platform/driver_params.h"
#include "platform/iommu_driver_params.h"
#include "platform/presets.h"
#include "platform/tables_params.h"
#include "platform/topology_params.h"
#include "timing/injection.h"
#include "tlm/bus_params.h"
#include "tlm/iommu_params.h"
#include "tlm/memory.h"
#include "tlm/peer_bars.h"

namespace iommusim::platform {

using base::Unit;
using params::Range;

/// Runs differ only by these.
struct SeedParams {
  std::uint64_t workload = 1;
  std::uint64_t timing = 1;

  template <class V>
  static constexpr void describe(V&& v) {
    v("workload", &SeedParams::workload, Unit::kCount, Range{0, ~0ULL}, "what generators ask for");
    v("timing", &SeedParams::timing, Unit::kCount, Range{0, ~0ULL},
      "random choices of the hardware and the skew of ioctls");
  }
};

/// Simulated time that software takes.
struct SoftwareCostParams {
  std::uint64_t ioctl_ns = 500;
  std::uint64_t ioctl_skew_ns = 0;
  std::uint64_t dma_call_ns = 100;
  std::uint64_t mmio_ns = 50;
  std::uint64_t memory_line_ns = 0;
  std::uint64_t interrupt_ns = 1000;
  std::uint64_t poll_ns = 100;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = SoftwareCostParams;
    v("ioctl_ns", &P::ioctl_ns, Unit::kNs, Range{0, 1'000'000'000},
      "processor time of one ioctl, beside what it waits for");
    v("ioctl_skew_ns", &P::ioctl_skew_ns, Unit::kNs, Range{0, 1'000'000'000},
      "random extra of each ioctl, from 0 to this, drawn with the timing seed");
    v("dma_call_ns", &P::dma_call_ns, Unit::kNs, Range{0, 1'000'000'000},
      "processor time of a map or unmap by the DMA API (stack kernel), beside what it waits for");
    v("mmio_ns", &P::mmio_ns, Unit::kNs, Range{0, 1'000'000},
      "one register access, beside the IOMMU's own access_cycles");
    v("memory_line_ns", &P::memory_line_ns, Unit::kNs, Range{0, 1'000'000},
      "each 64-byte line of memory that the driver touches");
    v("interrupt_ns", &P::interrupt_ns, Unit::kNs, Range{0, 1'000'000'000}, "from the interrupt to its handler");
    v("poll_ns", &P::poll_ns, Unit::kNs, Range{1, 1'000'000}, "a turn of a polling loop");
  }
};

enum class Interrupts : std::uint8_t { kWires, kMessages };
inline constexpr base::Choice<Interrupts> kInterruptChoices[] = {
    {"wires", "wire-signalled interrupts", Interrupts::kWires},
    {"messages", "message-signalled interrupts", Interrupts::kMessages},
};

enum class Stack : std::uint8_t { kIommufd, kKernel, kTables };
inline constexpr base::Choice<Stack> kStacks[] = {
    {"iommufd", "a user program maps and unmaps by ioctl; unmapping is strict", Stack::kIommufd},
    {"kernel", "drivers of the kernel map and unmap by the DMA API (software.dma)", Stack::kKernel},
    {"tables", "no driver: tables are in memory before time begins, and stay as they are", Stack::kTables},
};

/// The driver of the IOMMU and the stack above it.
struct SoftwareParams {
  Stack stack = Stack::kIommufd;
  Interrupts interrupts = Interrupts::kWires;
  std::uint32_t vectors = 4;
  std::uint64_t flush_all_threshold_bytes = 2ULL << 20;
  std::uint64_t largest_page_bytes = 1ULL << 30;
  std::uint32_t address_bits = 48;
  std::uint32_t directory_levels = 3;
  std::uint32_t command_queue_log2 = 13;
  std::uint32_t fault_queue_log2 = 12;
  bool ats = false;
  std::uint32_t page_queue_log2 = 12;
  std::uint64_t kernel_memory_bytes = 1ULL << 30;
  bool buffer_digest = false;
  IommuDriverParams driver{};
  DmaParams dma{};
  TablesParams tables{};
  SoftwareCostParams cost{};

  template <class V>
  static constexpr void describe(V&& v) {
    using P = SoftwareParams;
    v("stack", &P::stack, kStacks, "what makes the mappings");
    v("interrupts", &P::interrupts, kInterruptChoices, "how the IOMMU's interrupts reach the driver");
    v("vectors", &P::vectors, Unit::kCount, Range{1, 16}, "interrupt vectors that the platform offers");
    v("flush_all_threshold_bytes", &P::flush_all_threshold_bytes, Unit::kBytes, Range{0, 1ULL << 56},
      "an unmap of at least this much invalidates the whole address space; 0: never");
    v("largest_page_bytes", &P::largest_page_bytes, Unit::kBytes, Range{4096, 1ULL << 48},
      "largest leaf that the driver uses");
    v("address_bits", &P::address_bits, Unit::kBits, Range{39, 57},
      "widest first stage that the driver uses: 39, 48 or 57");
    v("directory_levels", &P::directory_levels, Unit::kCount, Range{1, 3},
      "deepest device directory that the driver tries");
    v("command_queue_log2", &P::command_queue_log2, Unit::kCount, Range{1, 16}, "log2 of the command queue's entries");
    v("fault_queue_log2", &P::fault_queue_log2, Unit::kCount, Range{1, 16}, "log2 of the fault queue's entries");
    v("ats", &P::ats, "the driver uses ATS and page requests of devices that have them; Linux's does not");
    v("page_queue_log2", &P::page_queue_log2, Unit::kCount, Range{1, 16}, "log2 of the page-request queue's entries");
    v("kernel_memory_bytes", &P::kernel_memory_bytes, Unit::kBytes, Range{1 << 20, 1ULL << 40},
      "frames for page tables, queues and directories");
    v("buffer_digest", &P::buffer_digest, "hash what buffers hold when they are unmapped, to compare runs");
    v.group("driver", &P::driver, "the driver of the IOMMU, beyond what Linux's does");
    v.group("dma", &P::dma, "stack kernel: the DMA API");
    v.group("tables", &P::tables, "stack tables: what they hold; directory_levels counts too");
    v.group("cost", &P::cost, "simulated time that software takes");
  }
};

enum class DeviceKind : std::uint8_t {
  kReplay,
  kUniform,
  kPaging,
  kSequential,
  kTiles,
  kGpu,
  kTenants,
  kPackets,
  kNic,
  kNvme,
  kPciTest,
  kDmaEngine
};
inline constexpr base::Choice<DeviceKind> kDeviceKinds[] = {
    {"replay", "replays a trace; its functions are the sources that the trace names", DeviceKind::kReplay},
    {"uniform", "reads and writes at uniformly random addresses of a window", DeviceKind::kUniform},
    {"paging", "as uniform, on a window that its program maps page by page when the device asks; needs an atc",
     DeviceKind::kPaging},
    {"sequential", "flows that go through windows, one after the other or with a stride", DeviceKind::kSequential},
    {"tiles", "tiles of an image in memory", DeviceKind::kTiles},
    {"gpu", "bursts of wavefronts, coalesced or scattered", DeviceKind::kGpu},
    {"tenants", "functions with an address space and a pattern each", DeviceKind::kTenants},
    {"packets", "packets at line rate for tenants in turn, dropped when translations are late; needs an atc",
     DeviceKind::kPackets},
    {"nic", "a network card with rings, and its driver", DeviceKind::kNic},
    {"nvme", "an NVMe drive with queue pairs, and its driver", DeviceKind::kNvme},
    {"pci_test", "the PCI test device of `exec`: one transfer of 4 KiB at a time", DeviceKind::kPciTest},
    {"dma_engine", "a DMA engine with descriptor rings, for `exec`", DeviceKind::kDmaEngine},
};

/// How the program maps a generator's window.
struct WindowParams {
  std::uint64_t iova = 1ULL << 32;
  std::uint64_t chunk_bytes = 2ULL << 20;
  std::string peer;

  template <class V>
  static constexpr void describe(V&& v) {
    v("iova", &WindowParams::iova, Unit::kBytes, Range{0, 1ULL << 56}, "first IOVA of the window, a multiple of 4 KiB");
    v("chunk_bytes", &WindowParams::chunk_bytes, Unit::kBytes, Range{4096, 1ULL << 40},
      "mapped by one ioctl, a multiple of 4 KiB");
    v("peer", &WindowParams::peer, "stack tables: the device whose BAR is behind the window; empty: system memory");
  }
};

/// What the program of kind paging does about page faults.
struct PagingParams {
  std::uint64_t resident_bytes = 0;
  std::uint32_t refuse_percent = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    v("resident_bytes", &PagingParams::resident_bytes, Unit::kBytes, Range{0, 1ULL << 56},
      "mapped at a time, at least one chunk; for more the oldest chunk is unmapped; 0 is no limit");
    v("refuse_percent", &PagingParams::refuse_percent, Unit::kPercent, Range{0, 100},
      "chunks that the program never maps");
  }
};

struct DeviceParams {
  DeviceKind kind = DeviceKind::kReplay;
  std::string trace;
  std::string link;
  std::string iommu;
  std::string below;
  bool acs = true;
  devices::TraceReplayParams replay{};
  devices::UniformParams uniform{};
  devices::TrafficParams traffic{};
  devices::SequentialParams sequential{};
  devices::TilesParams tiles{};
  devices::GpuParams gpu{};
  devices::TenantsParams tenants{};
  devices::PacketsParams packets{};
  devices::NicParams nic{};
  devices::NvmeParams nvme{};
  devices::IoParams io{};
  devices::PciTestParams pci_test{};
  devices::DmaEngineParams dma_engine{};
  DriverParams driver{};
  WindowParams window{};
  bus::PeerBarParams bar{};
  PagingParams paging{};
  devices::AtcParams atc{};
  PasidParams pasid{};

  template <class V>
  static constexpr void describe(V&& v) {
    v("kind", &DeviceParams::kind, kDeviceKinds, "what the device does");
    v("trace", &DeviceParams::trace, "kind replay: the trace file, relative to the system file");
    v("link", &DeviceParams::link, "one of bus.links; empty: bus.pcie or bus.axi, as bus.kind says");
    v("iommu", &DeviceParams::iommu, "the IOMMU that it is behind, one of iommus; empty: `iommu`");
    v("below", &DeviceParams::below, "the bridge that it is below, one of topology.bridges; empty: the host bridge");
    v("acs", &DeviceParams::acs, "its functions are isolated from those of the same PCI device (ACS)");
    v.group("replay", &DeviceParams::replay, "kind replay");
    v.group("uniform", &DeviceParams::uniform, "kinds uniform and paging");
    v.group("packets", &DeviceParams::packets, "kind packets");
    v.group("traffic", &DeviceParams::traffic, "kinds sequential, tiles, gpu and tenants: how much, how fast");
    v.group("sequential", &DeviceParams::sequential, "kind sequential");
    v.group("tiles", &DeviceParams::tiles, "kind tiles");
    v.group("gpu", &DeviceParams::gpu, "kind gpu");
    v.group("tenants", &DeviceParams::tenants, "kind tenants");
    v.group("nic", &DeviceParams::nic, "kind nic");
    v.group("nvme", &DeviceParams::nvme, "kind nvme: the drive");
    v.group("io", &DeviceParams::io, "kind nvme: what is asked of it");
    v.group("pci_test", &DeviceParams::pci_test, "kind pci_test");
    v.group("dma_engine", &DeviceParams::dma_engine, "kind dma_engine");
    v.group("driver", &DeviceParams::driver, "devices with rings: their driver");
    v.group("window", &DeviceParams::window, "generators: the mapping of their windows");
    v.group("bar", &DeviceParams::bar, "memory of the device that DMA of others can reach");
    v.group("paging", &DeviceParams::paging, "kind paging: page faults");
    v.group("atc", &DeviceParams::atc, "address translation cache of each of its functions");
    v.group("pasid", &DeviceParams::pasid, "PASIDs of its functions; programs may then attach them one by one");
  }
};

/// The access pattern of a generator's kind.
constexpr devices::PatternKind pattern_kind_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kSequential:
      return devices::PatternKind::kSequential;
    case DeviceKind::kTiles:
      return devices::PatternKind::kTiles;
    case DeviceKind::kGpu:
      return devices::PatternKind::kGpu;
    case DeviceKind::kTenants:
      return devices::PatternKind::kTenants;
    default:
      return devices::PatternKind::kUniform;
  }
}

inline devices::PatternParams pattern_params_of(const DeviceParams& device) {
  return {device.traffic, device.uniform, device.sequential, device.tiles, device.gpu, device.tenants};
}

/// The parameter that gives the address of a generator.
inline std::string bdf_parameter(const std::string& name, DeviceKind kind) {
  const bool uniform = pattern_kind_of(kind) == devices::PatternKind::kUniform;
  return "devices." + name + (uniform ? ".uniform.bdf" : ".traffic.bdf");
}

struct SystemParams {
  std::string name = "system";
  Preset preset = Preset::kNone;
  SeedParams seed{};
  bus::IommuParams iommu{};
  std::map<std::string, bus::IommuParams> iommus;
  bus::DmaBusParams bus{};
  TopologyParams topology{};
  bus::MemoryParams memory{};
  SoftwareParams software{};
  std::map<std::string, DeviceParams> devices;
  std::map<std::string, timing::InjectionParams> inject;

  template <class V>
  static constexpr void describe(V&& v) {
    v("name", &SystemParams::name, "of the system, for reports");
    v("preset", &SystemParams::preset, kPresets, "parameters of the IOMMU to begin with, instead of the defaults");
    v.group("seed", &SystemParams::seed, "seeds of the random numbers");
    v.group("iommu", &SystemParams::iommu, "the IOMMU");
    v.named_groups("iommus", &SystemParams::iommus, "further IOMMUs, by name");
    v.group("bus", &SystemParams::bus, "the bus between devices and IOMMU");
    v.group("topology", &SystemParams::topology, "bridges, and IOVAs that must not be mapped");
    v.group("memory", &SystemParams::memory, "system memory");
    v.group("software", &SystemParams::software, "the software that drives the IOMMU");
    v.named_groups("devices", &SystemParams::devices, "the devices, by name");
    v.named_groups("inject", &SystemParams::inject, "what goes wrong on purpose, by name");
  }
};

}  // namespace iommusim::platform
