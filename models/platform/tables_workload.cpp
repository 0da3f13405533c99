// SPDX-License-Identifier: Apache-2.0
#include "platform/tables_workload.h"

#include <mutex>

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

UniformOnTables::UniformOnTables(const std::string& name, const DeviceParams& params, const SystemParams& system,
                                 Tables& tables, std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      count_(params.uniform.count),
      ats_(params.atc.present && system.software.ats),
      generator_(name.c_str(), params.uniform, system.seed.workload, parent),
      atc_(name, params.atc, generator_.device(), system.seed.timing, generator_.socket(), parent) {
  const std::string path = "devices." + name;
  const std::uint32_t device = generator_.device().value;
  tables.attach(device, path + ".uniform", ats_);
  for (std::uint32_t flow = 0; flow < params.uniform.flows; ++flow) {
    const std::uint64_t offset = flow * params.uniform.stride();
    const std::uint64_t at = tables.map(device, path + ".window", params.window.iova + offset, buffer + offset,
                                        params.uniform.window_bytes, system.software.tables.first_leaf);
    if (flow == 0) base_ = at;
  }
  if (const auto process = tables.process()) generator_.use_process(*process);
}

void UniformOnTables::start(std::function<void()> done) {
  atc_.enable(ats_, false);
  generator_.start(base_, std::move(done));
}

double UniformOnTables::progress() const { return static_cast<double>(transfers()) / static_cast<double>(count_); }

std::uint64_t UniformOnTables::transfers() const {
  return generator_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t UniformOnTables::bytes_moved() const {
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
    tables.attach(device, path, true);
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
