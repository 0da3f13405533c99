// SPDX-License-Identifier: Apache-2.0
// Life of a RISC-V IOMMU: probe, devices, remove. The steps and their order are those of riscv_driver.md 2 and 9.
#include "drivers/riscv/riscv_iommu.h"

#include <cerrno>
#include <mutex>

#include "domain/errno_name.h"
#include "uapi/iommufd_riscv.h"

namespace iommusim::drivers::riscv {
namespace {

constexpr std::uint64_t kSupportedVersion = 0x10;

}  // namespace

RiscvIommu::RiscvIommu(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options)
    : ports_(ports),
      system_(system),
      options_(options),
      index_(system.next_iommu_index()),
      commands_(ports_),
      faults_(ports_),
      pages_(ports_, commands_),
      directory_(ports_),
      guests_lock_(ports_.os.make_mutex()) {
  faults_.set_guest_listener([this](const FaultRecord& record) { tell_guest(record); });
}

int RiscvIommu::probe() {
  capabilities_ = ports_.mmio.read64(hw::kCapabilitiesOffset);
  fctl_ = ports_.mmio.read32(hw::kFctlOffset);
  if ((capabilities_ & hw::capabilities::kVersionMask) != kSupportedVersion) return ENODEV;
  if (const int error = directory_.check_unused()) return error;  // another owner: nothing to undo, nothing touched
  const int error = bring_up();
  if (error != 0) {
    ports_.os.log("riscv-iommu: probe fails: " + domain::errno_name(error));
    (void)directory_.switch_off();
    take_down();
    return error;
  }
  running_ = true;
  return 0;
}

int RiscvIommu::bring_up() {
  if (const int error = set_byte_order()) return error;
  if (const int error = set_up_interrupts()) return error;
  if (const int error = directory_.allocate_root((capabilities_ & hw::capabilities::kMsiFlatMask) != 0)) return error;
  if (const int error = commands_.enable(options_.command_queue_log2)) return error;
  if (const int error = faults_.enable(options_.fault_queue_log2)) return error;
  if (uses_ats())
    if (const int error = pages_.enable(options_.page_queue_log2)) return error;
  if (const int error = directory_.switch_on(options_.max_directory_levels)) return error;
  return invalidate_everything();
}

int RiscvIommu::invalidate_everything() {
  if (const int error = commands_.submit(inval_ddt_all())) return error;
  if (const int error = commands_.submit(iotinval_all())) return error;
  return commands_.fence();
}

void RiscvIommu::remove() {
  if (!running_) return;
  for (const auto& device : devices_) device->block_everything();
  while (!devices_.empty()) remove_device(*devices_.back());
  running_ = false;
  if (directory_.switch_off() != 0) ports_.os.log("riscv-iommu: ddtp stays busy");
  (void)invalidate_everything();  // the queue still works
  disconnect_handlers();
  faults_.handle_interrupt();  // records whose interrupt was not served yet
  take_down();
}

void RiscvIommu::take_down() {
  commands_.disable();
  faults_.disable();
  if (uses_ats()) pages_.disable();
  disconnect_handlers();
  directory_.release();
}

void RiscvIommu::shutdown() {
  if (!running_) return;
  // Off, not Bare: from a directory mode to Bare is UNSPECIFIED (IOMMU 5.5).
  (void)directory_.switch_off();
  ports_.mmio.write32(hw::kCqcsrOffset, 0);
  ports_.mmio.write32(hw::kFqcsrOffset, 0);
  if (uses_ats()) ports_.mmio.write32(hw::kPqcsrOffset, 0);
}

RiscvDevice* RiscvIommu::add_device(const DeviceDescription& description, int& error_out) {
  domain::Group& group = system_.group(description.group);
  auto device = std::make_unique<RiscvDevice>(*this, group, description);
  error_out = device->locate_contexts();
  if (error_out != 0) return nullptr;
  group.devices.push_back(device.get());
  devices_.push_back(std::move(device));
  return devices_.back().get();
}

void RiscvIommu::remove_device(RiscvDevice& device) {
  device.block_everything();
  (void)device.set_page_fault_handler(nullptr);
  auto& in_group = device.group().devices;
  in_group.erase(std::remove(in_group.begin(), in_group.end(), &device), in_group.end());
  devices_.erase(std::find_if(devices_.begin(), devices_.end(), [&](const auto& own) { return own.get() == &device; }));
}

bool RiscvIommu::supports(unsigned address_bits) const {
  switch (address_bits) {
    case 39:
      return (capabilities_ & hw::capabilities::kSv39Mask) != 0;
    case 48:
      return (capabilities_ & hw::capabilities::kSv48Mask) != 0;
    case 57:
      return (capabilities_ & hw::capabilities::kSv57Mask) != 0;
    default:
      return false;
  }
}

unsigned RiscvIommu::widest_address_bits() const {
  for (const unsigned bits : {57U, 48U, 39U})
    if (bits <= options_.max_address_bits && supports(bits)) return bits;
  return 0;
}

/// The modes of the second stage: those of the first, with two bits more.
bool RiscvIommu::supports_second_stage(unsigned address_bits) const {
  switch (address_bits) {
    case 39:
      return (capabilities_ & hw::capabilities::kSv39x4Mask) != 0;
    case 48:
      return (capabilities_ & hw::capabilities::kSv48x4Mask) != 0;
    case 57:
      return (capabilities_ & hw::capabilities::kSv57x4Mask) != 0;
    default:
      return false;
  }
}

unsigned RiscvIommu::widest_second_stage_bits() const {
  for (const unsigned bits : {57U, 48U, 39U})
    if (bits <= options_.max_address_bits && supports_second_stage(bits)) return bits;
  return 0;
}

void RiscvIommu::tell_faults(const RiscvDevice& device, domain::VirtualIommuPorts* ports, std::uint32_t virtual_id) {
  const std::lock_guard guard(*guests_lock_);
  for (const std::uint32_t id : device.description().device_ids)
    if (ports != nullptr)
      guests_[id] = {ports, virtual_id};
    else
      guests_.erase(id);
}

void RiscvIommu::tell_guest(const FaultRecord& record) {
  if (!is_of_first_stage(record.cause)) return;
  const std::lock_guard guard(*guests_lock_);
  const auto guest = guests_.find(record.device_id);
  if (guest == guests_.end()) return;
  FaultRecord told = record;
  told.device_id = guest->second.virtual_id;
  told.iotval2 = 0;  // about the second stage, which is not the guest's
  uapi::vevent_riscv_fault event{};
  encode(told, event.record);
  (void)guest->second.ports->report_event(uapi::kVeventRiscvFault, &event, sizeof event);
}

}  // namespace iommusim::drivers::riscv
