// SPDX-License-Identifier: Apache-2.0
#include "platform/system.h"

#include <algorithm>
#include <mutex>

#include "base/bits.h"
#include "base/error.h"
#include "base/nearest.h"
#include "platform/address_map.h"
#include "platform/bus_maker.h"
#include "platform/checks.h"
#include "platform/generator_workload.h"
#include "platform/nic_workload.h"
#include "platform/nvme_workload.h"
#include "platform/paging_workload.h"
#include "platform/replay_workload.h"
#include "platform/system_parts.h"
#include "platform/tables_workload.h"
#include "tlm/failure.h"

namespace iommusim::platform {

namespace {

constexpr unsigned kDmaPort = 0, kWalkPort = 1, kProcessorPort = 2;

const SystemParams& checked(const SystemParams& params) {
  check(params);
  return params;
}

hal::SystemcOsParams os_params_of(const SystemParams& params) {
  hal::SystemcOsParams out;
  out.relax_ns = params.software.cost.poll_ns;
  out.on_failure = bus::keep_failure;
  return out;
}

std::optional<Tables> tables_of(const SystemParams& params, bus::Memory& memory) {
  if (params.software.stack != Stack::kTables) return std::nullopt;
  return std::optional<Tables>(std::in_place, params, memory.store());
}

/// Bytes of buffers that the device's program needs. A trace must be read for it; not if it may have everything.
std::uint64_t buffer_bytes_of(const DeviceParams& device, bool alone) {
  if (device.kind == DeviceKind::kPackets) return PacketsOnTables::buffer_bytes(device.packets);
  if (device.kind == DeviceKind::kNic) return nic_memory(device);
  if (device.kind == DeviceKind::kNvme) return nvme_memory(device);
  if (device.kind != DeviceKind::kReplay) return generator_memory(device);
  return alone ? 0 : memory_of_trace(device.trace);
}

/// Every program has buffers of its own: no device writes what belongs to another.
std::vector<std::unique_ptr<Workload>> make_workloads(const SystemParams& params, const WorkloadMaker& more,
                                                      std::optional<Tables>& tables, stats::Group& parent) {
  std::vector<std::unique_ptr<Workload>> workloads;
  std::uint64_t buffer = 0;
  for (const auto& [name, device] : params.devices) {
    const std::uint64_t end = buffer + base::align_up(buffer_bytes_of(device, params.devices.size() == 1), 1ULL << 30);
    if (device.kind == DeviceKind::kPciTest || device.kind == DeviceKind::kDmaEngine)
      throw ParameterError("devices." + name + ".kind",
                           "its driver is a program that runs by `iommusim exec`, expected another kind");
    if (end > user_memory(params.memory.physical_bits))
      throw ParameterError("devices." + name,
                           "its buffers do not fit into memory, expected less, or more "
                           "memory.physical_bits");
    if (tables && device.kind == DeviceKind::kPackets)
      workloads.push_back(std::make_unique<PacketsOnTables>(name, device, params, *tables, buffer, parent));
    else if (tables)
      workloads.push_back(std::make_unique<GeneratorOnTables>(name, device, params, *tables, buffer, parent));
    else if (device.kind == DeviceKind::kReplay)
      workloads.push_back(std::make_unique<ReplayWorkload>(name, device, params, buffer, parent));
    else if (device.kind == DeviceKind::kNic)
      workloads.push_back(std::make_unique<NicWorkload>(name, device, params, buffer, parent));
    else if (device.kind == DeviceKind::kNvme)
      workloads.push_back(std::make_unique<NvmeWorkload>(name, device, params, buffer, parent));
    else if (device.kind == DeviceKind::kPaging)
      workloads.push_back(std::make_unique<PagingWorkload>(name, device, params, buffer, parent));
    else
      workloads.push_back(std::make_unique<WindowWorkload>(name, device, params, buffer, parent));
    buffer = end;
  }
  if (more)
    for (auto& workload : more(params, parent)) workloads.push_back(std::move(workload));
  if (workloads.empty()) throw ParameterError("devices", "there is none, expected at least one");
  return workloads;
}

}  // namespace

System::Parts::Parts(const SystemParams& system, const WorkloadMaker& maker)
    : params(checked(system)),
      more(maker),
      os(os_params_of(params)),
      memory("memory", params.memory, memory_ports_of(params), root, params.seed.timing),
      peer_bars(make_peer_bars(params, root)),
      messages("messages", kMessageWindow, kMessageWindowBytes),
      iommu("iommu", params.iommu, 1, params.seed.timing, root),
      tables(tables_of(params, memory)),
      workloads(make_workloads(params, more, tables, root)),
      topology(params, functions_of(workloads)),
      bus(make_bus("bus", params, topology, {}, port_names_of(workloads), root)),
      mmio("mmio", mmio_params_of(params)),
      software_memory("software_memory", {params.software.cost.memory_line_ns}),
      interrupts(os, params.software.vectors, params.software.cost.interrupt_ns, hal::MessageTarget{kMessageWindow, 0}),
      bridge(interrupts),
      peers(connect_dma("peer_to_peer", iommu.memory_dma(), memory.port(kDmaPort), peer_bars.get())),
      kernel(params, os, software_memory, make_more_iommus(), topology, root) {
  bus->to_iommu().bind(iommu.dma(0));
  iommu.memory_own().bind(messages.in);
  messages.out.bind(memory.port(kWalkPort));
  messages.connect(&bridge);
  iommu.connect(&bridge);
  mmio.socket.bind(iommu.registers());
  software_memory.socket.bind(memory.port(kProcessorPort));
  received.emplace(
      root, "the IOMMU's own accesses = memory.iommu.requests + interrupt messages, over the run",
      [this] { return iommu.own_accesses(); },
      [this] { return memory.port_statistics(kWalkPort).requests.value() + messages.taken(); });
  std::uint32_t port = 0;
  std::map<std::string, unsigned> ports;  // bound so far, by IOMMU
  for (const auto& workload : workloads)
    for (bus::InitiatorSocket* const socket : workload->sockets()) {
      const std::string& behind = topology.iommu_of_port(port++);
      socket->bind(bus_of(behind).port(ports[behind]++));
    }
  if (!params.inject.empty()) inject();
}

/// Makes the further IOMMUs. The ways of software to all.
std::vector<Kernel::IommuPorts> System::Parts::make_more_iommus() {
  std::vector<Kernel::IommuPorts> ways = {{"iommu", "", mmio, interrupts}};
  unsigned port = kProcessorPort + 1;
  for (const auto& [name, iommu_params] : params.iommus) {
    more_iommus.emplace_back(name, params, topology, port_names_of(workloads), os, memory, port, peer_bars.get(), root);
    ways.push_back({"iommus." + name, name, more_iommus.back().mmio, more_iommus.back().interrupts});
    port += 2;
  }
  return ways;
}

bus::Interconnect& System::Parts::bus_of(const std::string& iommu_name) {
  for (IommuSide& side : more_iommus)
    if (side.name == iommu_name) return *side.bus;
  return *bus;
}

void System::Parts::inject() {
  const std::vector<std::string> ports = port_names_of(workloads);
  injector = std::make_unique<timing::Injector>(params.seed.timing, root);
  for (const auto& [name, injection] : params.inject) {
    if (!injection.port.empty() && std::find(ports.begin(), ports.end(), injection.port) == ports.end())
      throw ParameterError("inject." + name + ".port", "there is no port '" + injection.port + "'; did you mean '" +
                                                           base::nearest_name(injection.port, ports) + "'?");
    injector->add(name, injection);
    if (injection.strikes_memory() && injection.target == timing::AccessTarget::kDma && !memory_injection) {
      memory_injection = std::make_unique<bus::MemoryInjection>(*injector, kDmaPort);
      memory.inject(memory_injection.get());
    }
  }
  iommu.inject(injector.get());
  bus->inject(injector.get());
  for (IommuSide& side : more_iommus) {
    side.iommu.inject(injector.get());
    side.bus->inject(injector.get());
  }
}

System::System(const SystemParams& params, const WorkloadMaker& more) : parts_(std::make_unique<Parts>(params, more)) {}

System::~System() {
  // A run that ended early leaves threads in the middle of what they did, with locks held and pages pinned: nothing of
  // that can be taken apart. It stays as it is, where a leak detector sees it; the process is about to end.
  static auto* const abandoned = new std::vector<std::unique_ptr<Parts>>;
  if (parts_->started && !parts_->finished) abandoned->push_back(std::move(parts_));
}

void System::run(const std::function<void(double, const char*)>& progress) {
  Parts& p = *parts_;
  p.started = true;
  std::size_t running = p.workloads.size();
  const auto all_done = p.os.make_wait_queue();
  const auto lock = p.os.make_mutex();

  p.os.start_thread("kernel", [&] {
    bus::guarded([&] {
      p.tables ? p.tables->enable(p.mmio, p.os) : p.kernel.boot();
      p.phase = "open";
      for (auto& workload : p.workloads) workload->open(p.kernel);
      p.phase = "run";
      p.workload_start = bus::now_ps();
      for (auto& workload : p.workloads)
        p.os.start_thread("program", [&, program = workload.get()] {
          bus::guarded([&] { program->run(p.kernel); });
          --running;
          all_done->wake_all();
        });
      std::unique_lock<hal::Mutex> guard(*lock);
      while (running != 0) all_done->wait(*lock);
      guard.unlock();
      p.workload_end = bus::now_ps();
      p.phase = "close";
      for (auto& workload : p.workloads) workload->close(p.kernel);
      p.phase = "shutdown";
      if (!p.tables) p.kernel.shutdown();
      p.end = bus::now_ps();
      p.finished = true;
    });
  });

  // In slices, so that progress can be shown; where a slice ends changes nothing of what is simulated.
  const sc_core::sc_time slice(1, sc_core::SC_MS);
  while (!p.finished) {
    sc_core::sc_start(slice);
    bus::rethrow_failure();
    if (!p.finished && !sc_core::sc_pending_activity())
      base::contradiction(std::string("nothing happens any more in phase ") + p.phase + "\n" + p.iommu.describe());
    double done = 0;
    for (const auto& workload : p.workloads) done += workload->progress();
    if (progress) progress(done / static_cast<double>(p.workloads.size()), p.phase);
  }
  if (!p.iommu.idle()) base::contradiction("the IOMMU is not idle after the shutdown\n" + p.iommu.describe());
  p.iommu.statistics().advance(p.iommu.cycle());
  for (IommuSide& side : p.more_iommus) {
    if (!side.iommu.idle())
      base::contradiction(side.name + " is not idle after the shutdown\n" + side.iommu.describe());
    side.iommu.statistics().advance(side.iommu.cycle());
  }
  stats::check_identities(p.root);
}

const SystemParams& System::params() const { return parts_->params; }
stats::Group& System::statistics() { return parts_->root; }

RunDigest System::digest() const {
  RunDigest digest;
  for (const auto& workload : parts_->workloads) {
    digest.responses += workload->digest().responses;
    digest.reads += workload->digest().reads;
    digest.buffers += workload->buffer_digest();
  }
  digest.faults = parts_->kernel.fault_digest();
  return digest;
}

RunTotals System::totals() const {
  RunTotals totals;
  for (const auto& workload : parts_->workloads) {
    totals.transfers += workload->transfers();
    totals.failed_transfers += workload->failed_transfers();
    totals.bytes_moved += workload->bytes_moved();
  }
  totals.simulated_ps = parts_->end;
  totals.workload_ps = parts_->workload_end - parts_->workload_start;
  return totals;
}

}  // namespace iommusim::platform
