// SPDX-License-Identifier: Apache-2.0
#include "platform/tables_workload.h"

#include <mutex>

#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/generator_workload.h"
#include "platform/kernel.h"

namespace iommusim::platform {

void TablesWorkload::open(Kernel& kernel) {
  lock_ = kernel.os().make_mutex();
  changed_ = kernel.os().make_wait_queue();
}

void TablesWorkload::run(Kernel&) {
  start([this] {
    finished_ = true;
    changed_->wake_all();
  });
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!finished_) changed_->wait(*lock_);
}

GeneratorOnTables::GeneratorOnTables(const std::string& name, const DeviceParams& params, const SystemParams& system,
                                     Tables& tables, std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      count_(generator_traffic(params).count),
      ats_(params.atc.present && system.software.ats),
      generator_(name.c_str(), generator_traffic(params), generator_pattern(params, system.seed.workload), parent),
      atc_(name, params.atc, generator_.device(), system.seed.timing, generator_.socket(), parent) {
  const std::string path = "devices." + name;
  const devices::AccessPattern& pattern = generator_.pattern();
  for (std::uint32_t space = 0; space < pattern.spaces(); ++space)
    tables.attach(generator_.device(space).value, bdf_parameter(name, params.kind), ats_);
  const std::vector<std::uint64_t> buffers = generator_buffers(pattern);
  if (!params.window.peer.empty()) {
    check_peer(path + ".window.peer", params, system);
    buffer = system.devices.at(params.window.peer).bar.first - user_memory(system.memory.physical_bits);
  }
  for (std::size_t i = 0; i < pattern.streams().size(); ++i) {
    const devices::Stream& stream = pattern.streams()[i];
    const std::uint64_t base =
        tables.map(generator_.device(stream.space).value, path + ".window", params.window.iova + stream.offset,
                   buffer + buffers[i], stream.bytes, system.software.tables.first_leaf) -
        stream.offset;
    if (i == 0) base_ = base;
    if (base != base_)
      throw ParameterError(path + ".kind",
                           "several address spaces need a first stage, expected one in software.tables");
  }
  if (const auto process = tables.process()) generator_.use_process(*process);
}

/// Every page of the windows must be within the BAR, wholly.
void GeneratorOnTables::check_peer(const std::string& path, const DeviceParams& params,
                                   const SystemParams& system) const {
  const std::uint64_t page = base::kPageSize << 9 * system.software.tables.first_leaf;
  const std::uint64_t bar = system.devices.at(params.window.peer).bar.bytes;
  const std::vector<std::uint64_t> buffers = generator_buffers(generator_.pattern());
  for (std::size_t i = 0; i + 1 < buffers.size(); ++i) {
    const std::uint64_t end = base::align_up(buffers[i] + generator_.pattern().streams()[i].bytes, page);
    if (end > bar)
      throw ParameterError(path, "the windows take " + std::to_string(end) + " bytes of the BAR, which has " +
                                     std::to_string(bar) + ", expected at most that");
  }
}

void GeneratorOnTables::start(std::function<void()> done) {
  atc_.enable(ats_, false);
  generator_.start(base_, std::move(done));
}

double GeneratorOnTables::progress() const { return static_cast<double>(transfers()) / static_cast<double>(count_); }

std::uint64_t GeneratorOnTables::transfers() const {
  return generator_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t GeneratorOnTables::bytes_moved() const {
  const auto& stats = generator_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

// Packets.

std::uint64_t PacketsOnTables::buffer_bytes(const devices::PacketsParams& params) {
  std::uint64_t bytes = 0;
  for (const auto* const area : {&params.ring, &params.data, &params.notification})
    bytes += base::align_up(area->bytes, area->page_bytes) + area->page_bytes;
  return bytes * params.tenants;
}

PacketsOnTables::PacketsOnTables(const std::string& name, const DeviceParams& params, const SystemParams& system,
                                 Tables& tables, std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      packets_in_all_(params.packets.tenants * params.packets.packets_per_tenant),
      packets_(name.c_str(), params.packets, parent),
      atc_(name, params.atc, packets_.first_function(), system.seed.timing, packets_.socket(), parent) {
  atc_.tell(&packets_);
  const std::string path = "devices." + name + ".packets";
  for (std::uint32_t tenant = 0; tenant < params.packets.tenants; ++tenant) {
    const std::uint32_t device = packets_.first_function().value + tenant;
    tables.attach(device, path + ".bdf", true);
    for (const auto* const area : {&params.packets.ring, &params.packets.data, &params.packets.notification}) {
      buffer = base::align_up(buffer, area->page_bytes);
      tables.map(device,
                 path + (area == &params.packets.ring   ? ".ring"
                         : area == &params.packets.data ? ".data"
                                                        : ".notification"),
                 area->iova, buffer, area->bytes,
                 area->page_bytes >> 30 != 0   ? 2
                 : area->page_bytes >> 21 != 0 ? 1
                                               : 0);
      buffer += base::align_up(area->bytes, area->page_bytes);
    }
  }
}

void PacketsOnTables::start(std::function<void()> done) {
  atc_.enable(true, false);
  packets_.start(std::move(done));
}

double PacketsOnTables::progress() const {
  return static_cast<double>(packets_.statistics().accepted.value()) / static_cast<double>(packets_in_all_);
}

std::uint64_t PacketsOnTables::transfers() const {
  return packets_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t PacketsOnTables::bytes_moved() const {
  const auto& stats = packets_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

}  // namespace iommusim::platform
