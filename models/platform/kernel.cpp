// SPDX-License-Identifier: Apache-2.0
#include "platform/kernel.h"

#include <algorithm>
#include <cerrno>

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
  params.driver.apply(options);
  return options;
}

drivers::riscv::DeviceDescription description_of(std::uint32_t id, std::uint32_t group, const devices::AtcParams& atc,
                                                 const PasidParams& pasid) {
  drivers::riscv::DeviceDescription description;
  description.device_ids = {id};
  description.group = group;
  description.ats = atc.present;
  description.pri = atc.present && atc.pri;
  description.invalidation_depth = atc.invalidation_depth;
  description.global_invalidation = true;  // the modelled caches know it
  description.pasid_bits = pasid.bits;
  description.pasid_execute = pasid.execute;
  description.pasid_privileged = pasid.privileged;
  return description;
}

}  // namespace

Kernel::Driver::Driver(const IommuPorts& ports, Kernel& kernel)
    : path(ports.path),
      name(ports.name),
      iommu({kernel.os_, ports.mmio, kernel.memory_, kernel.frames_, ports.interrupts}, kernel.iommus_,
            options_of(kernel.params_)) {}

Kernel::Kernel(const SystemParams& params, hal::Os& os, hal::Memory& memory, const std::vector<IommuPorts>& iommus,
               const Topology& topology, stats::Group& parent)
    : params_(params),
      os_(os),
      memory_(memory),
      skew_(params.seed.timing),
      stats_(parent, "software"),
      dma_stats_(stats_, "dma", dma_counts_),
      frames_(os, memory, kKernelMemory, base::align_down(params.software.kernel_memory_bytes, base::kPageSize)),
      iommus_(os),
      topology_(topology),
      host_(os, memory, this) {
  for (const IommuPorts& iommu : iommus) drivers_.emplace_back(iommu, *this);
  count_by_driver();
}

Kernel::~Kernel() = default;

void Kernel::count_by_driver() {
  const auto add = [this](const char* name, const char* definition, auto value) {
    counted_by_driver_.emplace_back(stats_, name, base::Unit::kCount, definition, [this, value] {
      std::uint64_t sum = 0;
      for (Driver& driver : drivers_) sum += value(driver.iommu);
      return sum;
    });
  };
  using Iommu = drivers::riscv::RiscvIommu;
  add("page_requests", "page requests that the driver drained", [](Iommu& iommu) { return iommu.pages().requests(); });
  add("page_groups", "complete groups of them, handed to who handles them",
      [](Iommu& iommu) { return iommu.pages().groups(); });
  add("page_groups_dropped", "groups that an overflow or a stop marker left incomplete",
      [](Iommu& iommu) { return iommu.pages().dropped(); });
  add("page_queue_overflows", "times that the page-request queue was full",
      [](Iommu& iommu) { return iommu.pages().overflows(); });
  add("ats_time_outs", "fences that told of an ATS invalidation without answer",
      [](Iommu& iommu) { return iommu.commands().time_outs(); });
  add("commands_replaced", "commands that the IOMMU refused, and that others took over",
      [](Iommu& iommu) { return iommu.commands().replaced(); });
  add("command_queue_moves", "times that the command queue went to other memory",
      [](Iommu& iommu) { return iommu.commands().moves(); });
}

void Kernel::boot() {
  const std::uint64_t start = os_.now_ns();
  for (Driver& driver : drivers_) {
    driver.iommu.faults().set_listener([this](const auto& record) { fault(record); });
    if (const int error = driver.iommu.probe(); error != 0)
      throw ParameterError(driver.path + ".implementation", std::string("the driver (software) refuses this IOMMU: ") +
                                                                domain::errno_name(error) +
                                                                ", expected one that it can use");
  }
  if (topology_.is_named()) find_devices();
  stats_.boot_ns += os_.now_ns() - start;
}

void Kernel::shutdown() {
  const std::uint64_t start = os_.now_ns();
  for (Driver& driver : drivers_) driver.iommu.remove();
  stats_.shutdown_ns += os_.now_ns() - start;
  base::ensure(frames_.frames_in_use() == 0, "frames are in use after the shutdown");
  base::ensure(iommus_.pscids_in_use() == 0, "a PSCID is in use after the shutdown");
  base::ensure(iommus_.gscids_in_use() == 0, "a GSCID is in use after the shutdown");
}

domain::Device& Kernel::add_device(std::uint32_t device_id, const std::string& parameter, const devices::AtcParams& atc,
                                   const PasidParams& pasid) {
  if (!device_ids_.insert(device_id).second)
    throw ParameterError(parameter, "device id " + std::to_string(device_id) +
                                        " is that of another device too, expected one of its own");
  if (const auto known = known_.find(device_id); known != known_.end()) return *known->second;
  return make_device(description_of(device_id, device_id, atc, pasid), {}, parameter);
}

domain::Device& Kernel::make_device(const drivers::riscv::DeviceDescription& description, const std::string& iommu,
                                    const std::string& parameter) {
  const auto driver = std::find_if(drivers_.begin(), drivers_.end(), [&](const Driver& d) { return d.name == iommu; });
  base::ensure(driver != drivers_.end(), "a device is behind an IOMMU that has no driver");
  int error = 0;
  auto* const device = driver->iommu.add_device(description, error);
  if (device == nullptr)
    throw ParameterError(parameter, "device id " + std::to_string(description.device_ids.front()) +
                                        " does not fit into the IOMMU's device directory: " +
                                        domain::errno_name(error) + ", expected a smaller one");
  return *device;
}

/// All members of a group must be known before the first of them is attached.
void Kernel::find_devices() {
  for (const Topology::Function& function : topology_.functions()) {
    const auto params = params_.devices.find(function.device);
    if (params == params_.devices.end() || known_.count(function.id) != 0)
      continue;  // the latter is told by add_device
    drivers::riscv::DeviceDescription description =
        description_of(function.alias, function.group, params->second.atc, params->second.pasid);
    description.reserved = function.reserved;
    known_[function.id] = &make_device(description, function.iommu, "devices." + function.device);
  }
}

std::shared_ptr<GroupProgram> Kernel::join_program(std::uint32_t device_id) {
  const Topology::Function* const function = topology_.find(device_id);
  std::weak_ptr<GroupProgram>& known = programs_[function == nullptr ? device_id : function->group];
  std::shared_ptr<GroupProgram> program = known.lock();
  if (!program) {
    program = std::make_shared<GroupProgram>();
    program->program = start_program();
    known = program;
  }
  ++program->users;
  return program;
}

int Kernel::open_dma(domain::Device& device, const dma::Options& options, std::unique_ptr<dma::DmaDomain>& out) {
  if (!dma_groups_.insert(device.group().id).second) return EBUSY;
  return dma::DmaDomain::create(os_, frames_, device, options, dma_counts_, out);
}

std::unique_ptr<UserProgram> Kernel::start_program() {
  const std::uint64_t memory = user_memory(params_.memory.physical_bits);
  return std::make_unique<UserProgram>(os_, memory_, frames_, host_, stats_, memory, memory);
}

/// The test command, which some machines have in the table, has none.
static bool has_statistics(const iommufd::CallInfo& info) { return uapi::find_iommu_ioctl(info.command) != nullptr; }

void Kernel::call_begins(const iommufd::CallInfo& info) {
  if (info.row == nullptr) return;
  const SoftwareCostParams& cost = params_.software.cost;
  std::uint64_t spent_ns = cost.ioctl_ns;
  {
    const std::lock_guard<std::mutex> guard(counts_lock_);
    if (has_statistics(info)) ++stats_.of(info.command).calls;
    if (cost.ioctl_skew_ns != 0) spent_ns += skew_.below(cost.ioctl_skew_ns + 1);
  }
  os_.spend_ns(spent_ns);
}

void Kernel::call_ends(const iommufd::CallInfo& info, int result) {
  if (!has_statistics(info) || result == 0) return;
  const std::lock_guard<std::mutex> guard(counts_lock_);
  ++stats_.of(info.command).errors;
}

void Kernel::fault(const drivers::riscv::FaultRecord& record) {
  const std::lock_guard<std::mutex> guard(counts_lock_);
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
