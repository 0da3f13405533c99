// SPDX-License-Identifier: Apache-2.0
#include "platform/checks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/bits.h"
#include "platform/address_map.h"
#include "platform/bus_maker.h"
#include "platform/peer_to_peer.h"
#include "platform/topology.h"
#include "spec/directories.h"
#include "traces/event.h"

namespace iommusim::platform {

namespace {

/// Names that other parts of the system have, in statistics or as modules.
constexpr const char* kTakenNames[] = {"inject",       "bus",     "iommu",    "iommu_messages",
                                       "kernel",       "memory",  "messages", "mmio",
                                       "peer_to_peer", "program", "software", "software_memory"};

/// What a component's own check throws becomes an objection to the parameter at `path`.
template <class Check>
void check_with(const std::string& path, Check&& component_check) {
  try {
    component_check();
  } catch (const base::InputError& error) {
    throw ParameterError(path, error.what());
  }
}

void check_cache(const std::string& path, const timing::CacheParams& cache) {
  if (const char* const what = cache.contradiction(); what != nullptr)
    throw ParameterError(path + ".ways", std::string(what) + " (entries " + std::to_string(cache.entries) + ", ways " +
                                             std::to_string(cache.resolved_ways()) + ")");
}

void check_walk_cache(const std::string& path, const timing::WalkCacheStageParams& stage) {
  check_cache(path + ".level1", stage.level1);
  check_cache(path + ".level2", stage.level2);
  check_cache(path + ".level3", stage.level3);
  check_cache(path + ".level4", stage.level4);
}

void check_engine(const std::string& path, const timing::EngineParams& engine) {
  check_cache(path + ".ddt_cache", engine.ddt_cache);
  check_cache(path + ".directory_cache", engine.directory_cache);
  check_cache(path + ".pdt_cache", engine.pdt_cache);
  check_cache(path + ".iotlb", engine.iotlb);
  check_walk_cache(path + ".walk_cache.first_stage", engine.walk_cache.first_stage);
  check_walk_cache(path + ".walk_cache.second_stage", engine.walk_cache.second_stage);
}

void check_part_name(const std::string& path, const std::string& name) {
  if (std::find(std::begin(kTakenNames), std::end(kTakenNames), name) != std::end(kTakenNames))
    throw ParameterError(path, "the name is taken by another part of the system, expected another name");
}

void check_iommu(const std::string& path, const bus::IommuParams& iommu, const SystemParams& params) {
  if (const char* what = iommu.implementation.contradiction(); what != nullptr)
    throw ParameterError(path + ".implementation", what);
  check_engine(path + ".engine", iommu.engine);
  if (params.memory.physical_bits > iommu.implementation.pas)
    throw ParameterError("memory.physical_bits", "expected at most " + path + ".implementation.pas, " +
                                                     std::to_string(iommu.implementation.pas));
  if (params.software.ats && !iommu.implementation.ats)
    throw ParameterError("software.ats",
                         "true, but the IOMMU has no ATS (" + path + ".implementation.ats), expected false");
}

void check_memory(const SystemParams& params) {
  const std::uint64_t half = user_memory(params.memory.physical_bits);
  if (half <= kKernelMemory)
    throw ParameterError("memory.physical_bits", "too little for the software, expected at least 26");
  if (params.software.kernel_memory_bytes > half - kKernelMemory)
    throw ParameterError("software.kernel_memory_bytes",
                         "does not fit into the lower half of memory (memory.physical_bits), expected at most " +
                             std::to_string(half - kKernelMemory));
}

void check_software(const SoftwareParams& software) {
  const std::uint32_t bits = software.address_bits;
  if (bits != 39 && bits != 48 && bits != 57)
    throw ParameterError("software.address_bits", std::to_string(bits) + ", expected 39, 48 or 57");
  if (!base::is_power_of_two(software.largest_page_bytes))
    throw ParameterError("software.largest_page_bytes",
                         std::to_string(software.largest_page_bytes) + ", expected a power of two");
}

void check_tables(const SystemParams& params) {
  const TablesParams& tables = params.software.tables;
  if (tables.second_stage != spec::iohgatp_mode::kBare && params.memory.physical_bits < 33)
    throw ParameterError("memory.physical_bits", "too little for a guest (software.tables), expected at least 33");
  if (tables.process_directory != spec::pdtp_mode::kBare &&
      tables.process >> spec::process_directory_bits(tables.process_directory) != 0)
    throw ParameterError("software.tables.process",
                         std::to_string(tables.process) + " is beyond the process directory, expected a smaller one");
  constexpr DeviceKind kDriven[] = {DeviceKind::kReplay, DeviceKind::kPaging, DeviceKind::kNic, DeviceKind::kNvme};
  for (const auto& [name, device] : params.devices)
    if (std::find(std::begin(kDriven), std::end(kDriven), device.kind) != std::end(kDriven))
      throw ParameterError("devices." + name + ".kind",
                           "it needs a driver, which software.stack tables is not, "
                           "expected a generator or packets");
}

void check_replay(const std::string& path, const DeviceParams& device, const SystemParams& system) {
  if (device.trace.empty()) throw ParameterError(path + ".trace", "kind replay needs a trace, expected a file");
  std::ifstream file(device.trace, std::ios::binary);
  const bool opened = file.is_open();
  if (opened) file.peek();
  if (!opened || file.bad())
    throw ParameterError(path + ".trace",
                         device.trace + " cannot be read: " + std::strerror(errno) + ", expected a trace");
  if (device.replay.iovas == devices::ReplayIovas::kOwn) {
    if (system.software.stack != Stack::kKernel)
      throw ParameterError(path + ".replay.iovas",
                           "own, but only the DMA API chooses IOVAs, expected recorded, or "
                           "software.stack kernel");
    if (device.replay.invalidations == devices::ReplayInvalidations::kRecorded)
      throw ParameterError(path + ".replay.invalidations",
                           "recorded, but they are of recorded IOVAs (replay.iovas), expected own");
    if (device.replay.unmapped == devices::UnmappedAccess::kFault)
      throw ParameterError(path + ".replay.unmapped",
                           "fault, but what is not mapped is nowhere with own IOVAs (replay.iovas), expected error or "
                           "skip");
  }
  if (device.replay.invalidations == devices::ReplayInvalidations::kRecorded && system.software.stack != Stack::kKernel)
    throw ParameterError(path + ".replay.invalidations",
                         "recorded, but only a driver of the kernel can ask for an invalidation, expected own, or "
                         "software.stack kernel");
  check_with(path + ".replay.split_bytes", [&] {
    devices::DmaLimits{device.replay.outstanding, device.replay.split_bytes}.check();
  });
}

bool has_rings(const DeviceParams& device) {
  return device.kind == DeviceKind::kNic || device.kind == DeviceKind::kNvme;
}

void check_nic(const std::string& path, const DeviceParams& device) {
  const DriverParams& driver = device.driver;
  check_with(path + ".nic.bdf", [&] { (void)traces::parse_source(device.nic.bdf); });
  check_with(path + ".nic.split_bytes", [&] {
    devices::DmaLimits{device.nic.outstanding, device.nic.split_bytes}.check();
  });
  const std::uint64_t buffer = driver.buffer_pages * base::kPageSize;
  if (device.nic.transmit_packets != 0 && device.nic.packet_bytes > buffer)
    throw ParameterError(path + ".nic.packet_bytes", std::to_string(device.nic.packet_bytes) +
                                                         " is longer than a buffer (driver.buffer_pages), expected at "
                                                         "most " +
                                                         std::to_string(buffer));
  const std::uint64_t piece = driver.layout == BufferLayout::kScattered ? base::kPageSize : buffer;
  const std::uint64_t needed = std::max(buffer / piece, (device.nic.packet_bytes + piece - 1) / piece);
  if (driver.ring_entries <= needed)
    throw ParameterError(path + ".driver.ring_entries", std::to_string(driver.ring_entries) +
                                                            ", but a buffer or a packet takes " +
                                                            std::to_string(needed) + ", expected more");
  if (driver.buffers * buffer < device.nic.packet_bytes)
    throw ParameterError(path + ".driver.buffers",
                         std::to_string(driver.buffers) + " hold less than a packet, expected more");
}

void check_nvme(const std::string& path, const DeviceParams& device) {
  const devices::IoParams& io = device.io;
  check_with(path + ".nvme.bdf", [&] { (void)traces::parse_source(device.nvme.bdf); });
  check_with(path + ".nvme.split_bytes", [&] {
    devices::DmaLimits{device.nvme.outstanding, device.nvme.split_bytes}.check();
  });
  if (io.io_bytes % base::kPageSize != 0)
    throw ParameterError(path + ".io.io_bytes", std::to_string(io.io_bytes) + ", expected a multiple of 4096");
  if (io.io_bytes / base::kPageSize > device.nvme.blocks)
    throw ParameterError(path + ".nvme.blocks",
                         std::to_string(device.nvme.blocks) + " is less than a command's (io.io_bytes), expected more");
  if (io.depth >= device.driver.ring_entries)
    throw ParameterError(path + ".io.depth", std::to_string(io.depth) + ", expected less than driver.ring_entries, " +
                                                 std::to_string(device.driver.ring_entries));
}

bool is_of_exec(const DeviceParams& device) {
  return device.kind == DeviceKind::kPciTest || device.kind == DeviceKind::kDmaEngine;
}

void check_of_exec(const std::string& path, const DeviceParams& device) {
  const bool test = device.kind == DeviceKind::kPciTest;
  const std::string group = path + (test ? ".pci_test" : ".dma_engine");
  check_with(group + ".bdf", [&] { (void)traces::parse_source(test ? device.pci_test.bdf : device.dma_engine.bdf); });
  check_with(group + ".split_bytes", [&] {
    (test ? devices::DmaLimits{device.pci_test.outstanding, device.pci_test.split_bytes}
          : devices::DmaLimits{device.dma_engine.outstanding, device.dma_engine.split_bytes})
        .check();
  });
}

/// A device whose driver has rings of buffers.
void check_rings(const std::string& path, const DeviceParams& device) {
  device.kind == DeviceKind::kNic ? check_nic(path, device) : check_nvme(path, device);
  if (device.driver.iova % base::kPageSize != 0)
    throw ParameterError(path + ".driver.iova", std::to_string(device.driver.iova) + ", expected a multiple of 4096");
  if (device.atc.present) throw ParameterError(path + ".atc.present", "true, but this kind has none, expected false");
}

/// A generator of any pattern.
void check_generator(const std::string& path, const DeviceParams& device) {
  const devices::PatternKind kind = pattern_kind_of(device.kind);
  const devices::UniformParams& uniform = device.uniform;
  const bool is_uniform = kind == devices::PatternKind::kUniform;
  const devices::TrafficParams traffic = is_uniform ? devices::traffic_of(uniform) : device.traffic;
  const std::string group = path + (is_uniform ? ".uniform" : ".traffic");
  check_with(group + ".bdf", [&] { (void)traces::parse_source(traffic.bdf); });
  check_with(group + ".split_bytes", [&] { devices::DmaLimits{traffic.outstanding, traffic.split_bytes}.check(); });
  if (is_uniform && uniform.request_bytes > uniform.window_bytes)
    throw ParameterError(path + ".uniform.request_bytes", std::to_string(uniform.request_bytes) +
                                                              " is longer than window_bytes, expected at most " +
                                                              std::to_string(uniform.window_bytes));
  std::uint32_t spaces = 1;
  check_with(path + "." + devices::name_of(kind),
             [&] { spaces = devices::make_pattern(kind, pattern_params_of(device), 0)->spaces(); });
  if (device.atc.present && spaces != 1)
    throw ParameterError(path + ".atc.present", "true, but an ATC is that of one function, expected false");
  const auto whole_pages = [&](const char* name, std::uint64_t value) {
    if (value % base::kPageSize != 0)
      throw ParameterError(path + ".window." + name, std::to_string(value) + ", expected a multiple of 4096");
  };
  if (uniform.flow_stride_bytes % base::kPageSize != 0 ||
      (uniform.flow_stride_bytes != 0 && uniform.flow_stride_bytes < uniform.window_bytes))
    throw ParameterError(
        path + ".uniform.flow_stride_bytes",
        std::to_string(uniform.flow_stride_bytes) + ", expected a multiple of 4096, at least window_bytes");
  if (device.kind == DeviceKind::kPaging && uniform.flows != 1)
    throw ParameterError(path + ".uniform.flows", std::to_string(uniform.flows) + ", expected 1 for kind paging");
  whole_pages("iova", device.window.iova);
  whole_pages("chunk_bytes", device.window.chunk_bytes);
}

/// Generators are driven by user programs.
void check_stack(const std::string& path, const DeviceParams& device, Stack stack) {
  if (stack == Stack::kKernel && device.kind != DeviceKind::kReplay && !has_rings(device))
    throw ParameterError(path + ".kind", "there is no driver for it in the kernel (software.stack), expected replay");
}

void check_packets(const std::string& path, const DeviceParams& device, const SystemParams& system) {
  const devices::PacketsParams& packets = device.packets;
  check_with(path + ".packets.bdf", [&] { (void)traces::parse_source(packets.bdf); });
  if (system.software.stack != Stack::kTables)
    throw ParameterError(path + ".kind", "kind packets has no driver, expected software.stack tables");
  if (system.software.tables.translation != Translation::kTables ||
      system.software.tables.first_stage == spec::iosatp_mode::kBare)
    throw ParameterError(path + ".kind", "kind packets needs a first stage, expected one in software.tables");
  if (system.software.tables.process_directory != spec::pdtp_mode::kBare)
    throw ParameterError("software.tables.process_directory", "kind packets has no PASID, expected none");
  if (!device.atc.present)
    throw ParameterError(path + ".atc.present", "false, but kind packets needs it, expected true");
  if (!system.software.ats) throw ParameterError("software.ats", "false, but kind packets needs it, expected true");
  const auto check_area = [&](const char* name, const devices::PacketAreaParams& area) {
    const std::string at = path + ".packets." + name;
    if (area.page_bytes != 1ULL << 12 && area.page_bytes != 1ULL << 21 && area.page_bytes != 1ULL << 30)
      throw ParameterError(at + ".page_bytes", std::to_string(area.page_bytes) + ", expected 4KiB, 2MiB or 1GiB");
    if (area.iova % area.page_bytes != 0)
      throw ParameterError(at + ".iova", std::to_string(area.iova) + ", expected a multiple of page_bytes");
    if (area.bytes < area.page_bytes || area.bytes % area.page_bytes != 0)
      throw ParameterError(at + ".bytes", std::to_string(area.bytes) + ", expected a multiple of page_bytes");
  };
  check_area("ring", packets.ring);
  check_area("data", packets.data);
  check_area("notification", packets.notification);
}

void check_atc(const std::string& path, const DeviceParams& device, const SystemParams& system) {
  check_cache(path + ".atc.cache", device.atc.cache);
  if (device.kind != DeviceKind::kPaging) return;
  const auto needs = [](const std::string& parameter, bool holds) {
    if (!holds) throw ParameterError(parameter, "false, but a device of kind paging needs it, expected true");
  };
  needs(path + ".atc.present", device.atc.present);
  needs(path + ".atc.pri", device.atc.pri);
  needs("software.ats", system.software.ats);
  const std::uint64_t least = device.window.chunk_bytes;
  if (device.paging.resident_bytes != 0 && device.paging.resident_bytes < least)
    throw ParameterError(path + ".paging.resident_bytes", std::to_string(device.paging.resident_bytes) +
                                                              ", expected at least window.chunk_bytes, " +
                                                              std::to_string(least));
}

/// That a port exists is known only when the devices are made.
void check_injections(const SystemParams& params) {
  timing::InjectionScope scope;
  scope.queues = params.iommu.mode == bus::IommuMode::kCycle;
  for (const auto& [name, injection] : params.inject)
    if (const auto [field, text] = timing::object_to(injection, scope); !field.empty())
      throw ParameterError("inject." + name + "." + field, text);
}

}  // namespace

void check(const SystemParams& params) {
  check_iommu("iommu", params.iommu, params);
  for (const auto& [name, iommu] : params.iommus) {
    check_part_name("iommus." + name, name);
    check_iommu("iommus." + name, iommu, params);
  }
  check_memory(params);
  check_software(params.software);
  check_bus(params);
  check_topology(params);
  check_peers(params);
  if (params.software.stack == Stack::kTables) check_tables(params);
  check_injections(params);
  for (const auto& [name, device] : params.devices) {
    const std::string path = "devices." + name;
    check_part_name(path, name);
    if (params.iommus.count(name) != 0) throw ParameterError(path, "an IOMMU has that name, expected another");
    if (has_rings(device))
      check_rings(path, device);
    else if (is_of_exec(device))
      check_of_exec(path, device);
    else if (device.kind == DeviceKind::kReplay)
      check_replay(path, device, params);
    else if (device.kind == DeviceKind::kPackets)
      check_packets(path, device, params);
    else
      check_generator(path, device);
    check_stack(path, device, params.software.stack);
    check_atc(path, device, params);
  }
}

}  // namespace iommusim::platform
