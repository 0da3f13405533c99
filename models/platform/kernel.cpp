// SPDX-License-Identifier: Apache-2.0
#include "platform/kernel.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "devices/pattern.h"
#include "domain/errno_name.h"
#include "platform/address_map.h"
#include "platform/checks.h"

namespace iommusim::platform {

namespace {

/// Recorded invalidations are by address, which leaves entries that point to tables: these must stay where they are.
bool keeps_tables(const SystemParams& system) {
  return std::any_of(system.devices.begin(), system.devices.end(), [](const auto& device) {
    return device.second.kind == DeviceKind::kReplay &&
           device.second.replay.invalidations == devices::ReplayInvalidations::kRecorded;
  });
}

drivers::riscv::RiscvIommuOptions options_of(const SystemParams& system) {
  const SoftwareParams& params = system.software;
  drivers::riscv::RiscvIommuOptions options;
  options.free_tables_on_unmap = !keeps_tables(system);
  options.flush_all_threshold_bytes = params.flush_all_threshold_bytes;
  options.page_sizes = base::mask_of(base::log2_floor(params.largest_page_bytes) + 1);
  options.max_address_bits = params.address_bits;
  options.max_directory_levels = params.directory_levels;
  options.command_queue_log2 = params.command_queue_log2;
  options.fault_queue_log2 = params.fault_queue_log2;
  options.ats = params.ats;
  options.page_queue_log2 = params.page_queue_log2;
  options.prefer_messages = params.interrupts == Interrupts::kMessages;
  return options;
}

}  // namespace

Kernel::Kernel(const SystemParams& params, hal::Os& os, hal::Mmio& mmio, hal::Memory& memory,
               hal::Interrupts& interrupts, stats::Group& parent)
    : params_(params),
      os_(os),
      memory_(memory),
      skew_(params.seed.timing),
      stats_(parent, "software"),
      dma_stats_(stats_, "dma", dma_counts_),
      frames_(os, memory, kKernelMemory, base::align_down(params.software.kernel_memory_bytes, base::kPageSize)),
      iommus_(os),
      driver_({os, mmio, memory, frames_, interrupts}, iommus_, options_of(params)),
      host_(os, memory, this) {
  count_page_requests();
}

Kernel::~Kernel() = default;

void Kernel::count_page_requests() {
  const auto add = [this](const char* name, const char* definition, auto value) {
    counted_by_driver_.emplace_back(stats_, name, base::Unit::kCount, definition, std::move(value));
  };
  add("page_requests", "page requests that the driver drained", [this] { return driver_.pages().requests(); });
  add("page_groups", "complete groups of them, handed to who handles them",
      [this] { return driver_.pages().groups(); });
  add("page_groups_dropped", "groups that an overflow or a stop marker left incomplete",
      [this] { return driver_.pages().dropped(); });
  add("page_queue_overflows", "times that the page-request queue was full",
      [this] { return driver_.pages().overflows(); });
  add("ats_time_outs", "fences that told of an ATS invalidation without answer",
      [this] { return driver_.commands().time_outs(); });
}

void Kernel::boot() {
  const std::uint64_t start = os_.now_ns();
  driver_.faults().set_listener([this](const auto& record) { fault(record); });
  if (const int error = driver_.probe(); error != 0)
    throw ParameterError("iommu.implementation", std::string("the driver (software) refuses this IOMMU: ") +
                                                     domain::errno_name(error) + ", expected one that it can use");
  stats_.boot_ns += os_.now_ns() - start;
}

void Kernel::shutdown() {
  const std::uint64_t start = os_.now_ns();
  driver_.remove();
  stats_.shutdown_ns += os_.now_ns() - start;
  base::ensure(frames_.frames_in_use() == 0, "frames are in use after the shutdown");
  base::ensure(iommus_.pscids_in_use() == 0, "a PSCID is in use after the shutdown");
}

domain::Device& Kernel::add_device(std::uint32_t device_id, const std::string& parameter,
                                   const devices::AtcParams& atc) {
  if (!device_ids_.insert(device_id).second)
    throw ParameterError(parameter, "device id " + std::to_string(device_id) +
                                        " is that of another device too, expected one of its own");
  drivers::riscv::DeviceDescription description;
  description.device_ids = {device_id};
  description.group = device_id;
  description.ats = atc.present;
  description.pri = atc.present && atc.pri;
  description.invalidation_depth = atc.invalidation_depth;
  int error = 0;
  auto* const device = driver_.add_device(description, error);
  if (device == nullptr)
    throw ParameterError(parameter, "device id " + std::to_string(device_id) +
                                        " does not fit into the IOMMU's device directory: " +
                                        domain::errno_name(error) + ", expected a smaller one");
  return *device;
}

std::unique_ptr<UserProgram> Kernel::start_program() {
  const std::uint64_t memory = user_memory(params_.memory.physical_bits);
  return std::make_unique<UserProgram>(os_, memory_, frames_, host_, stats_, memory, memory);
}

void Kernel::call_begins(const iommufd::CallInfo& info) {
  if (info.row == nullptr) return;
  ++stats_.of(info.command).calls;
  const SoftwareCostParams& cost = params_.software.cost;
  os_.spend_ns(cost.ioctl_ns + (cost.ioctl_skew_ns == 0 ? 0 : skew_.below(cost.ioctl_skew_ns + 1)));
}

void Kernel::call_ends(const iommufd::CallInfo& info, int result) {
  if (info.row != nullptr && result != 0) ++stats_.of(info.command).errors;
}

void Kernel::fault(const drivers::riscv::FaultRecord& record) {
  ++stats_.fault_records;
  std::uint64_t hash = 0;
  for (const std::uint64_t part :
       {std::uint64_t{record.cause}, std::uint64_t{record.device_id}, std::uint64_t{record.process_id},
        std::uint64_t{record.process_valid}, std::uint64_t{record.supervisor}, std::uint64_t{record.transaction},
        record.iotval, record.iotval2})
    hash = devices::scramble(hash + part + 1);
  fault_digest_ += hash;
}

}  // namespace iommusim::platform
