// SPDX-License-Identifier: Apache-2.0
// The driver of one RISC-V IOMMU (../shared/iommufd/riscv_driver.md): probe() brings the hardware up, add_device()
// makes the devices behind it known, remove() or shutdown() takes it down. Everything else is done through the devices
// and their domains. probe, remove and add_device are not called in parallel; the rest is thread-safe.
#pragma once

#include "drivers/riscv/command_queue.h"
#include "drivers/riscv/device_directory.h"
#include "drivers/riscv/fault_queue.h"
#include "drivers/riscv/page_queue.h"
#include "drivers/riscv/riscv_device.h"

namespace iommusim::drivers::riscv {

class RiscvIommu {
 public:
  RiscvIommu(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options = {});
  /// Does not touch the hardware: what shall be orderly calls remove() before. (A run that ends by an error has no
  /// thread any more in which registers could be accessed.)
  ~RiscvIommu() = default;
  RiscvIommu(const RiscvIommu&) = delete;
  RiscvIommu& operator=(const RiscvIommu&) = delete;

  /// From reset to a running IOMMU with an empty device directory. 0, ENODEV (not for this driver), EBUSY (in use, or
  /// does not answer), ENOMEM, EINVAL. On failure the hardware is off and no memory is kept.
  int probe();
  /// Blocks all devices, switches everything off, returns all memory. Domains may live on.
  void remove();
  /// The machine goes down: DMA and queues off, nothing else.
  void shutdown();

  /// `error_out`: 0, ENODEV (device id too large), ENOMEM; then null. Lives until remove_device() or remove().
  RiscvDevice* add_device(const DeviceDescription& description, int& error_out);
  void remove_device(RiscvDevice& device);
  /// Faults of a guest's first stage go to `ports`, by the guest's number of the device; null: to nobody, and returns
  /// when no call is running.
  void tell_faults(const RiscvDevice& device, domain::VirtualIommuPorts* ports, std::uint32_t virtual_id);

  bool supports(unsigned address_bits) const;
  /// The first stage that new domains get; 0: hardware has none.
  unsigned widest_address_bits() const;
  /// The same of the second stage, by the bits of the first: 39 for Sv39x4.
  bool supports_second_stage(unsigned address_bits) const;
  unsigned widest_second_stage_bits() const;
  /// Hardware sets D for domains that track what is written; or every writable page counts as written.
  bool updates_dirty() const {
    return options_.dirty_tracking != DirtyTracking::kOff && (capabilities_ & hw::capabilities::kAmoHwadMask) != 0;
  }
  bool tracks_dirty() const { return updates_dirty() || options_.dirty_tracking == DirtyTracking::kAlways; }

  const Ports& ports() const { return ports_; }
  const RiscvIommuOptions& options() const { return options_; }
  RiscvSystem& system() { return system_; }
  std::uint32_t index() const { return index_; }
  std::uint64_t capabilities() const { return capabilities_; }
  std::uint32_t fctl() const { return fctl_; }
  CommandQueue& commands() { return commands_; }
  FaultQueue& faults() { return faults_; }
  PageQueue& pages() { return pages_; }
  /// ATS and page requests: wanted by the options, and the hardware has them.
  bool uses_ats() const { return options_.ats && (capabilities_ & hw::capabilities::kAtsMask) != 0; }
  DeviceDirectory& directory() { return directory_; }
  /// Invalidation by naturally aligned range, and of entries that lead to leaves: wanted, and the hardware has it.
  bool invalidates_ranges() const {
    return options_.range_invalidation && (capabilities_ & hw::capabilities::kSMask) != 0;
  }
  bool invalidates_non_leaves() const {
    return options_.non_leaf_invalidation && (capabilities_ & hw::capabilities::kNlMask) != 0;
  }

 private:
  int bring_up();
  int set_byte_order();
  int set_up_interrupts();
  void set_up_messages(unsigned vectors);
  std::vector<unsigned> used_vectors() const;
  void connect_handlers();
  void disconnect_handlers();
  void take_down();
  int invalidate_everything();
  void tell_guest(const FaultRecord& record);

  const Ports ports_;
  RiscvSystem& system_;
  const RiscvIommuOptions options_;
  const std::uint32_t index_;
  CommandQueue commands_;
  FaultQueue faults_;
  PageQueue pages_;
  DeviceDirectory directory_;
  std::uint64_t capabilities_ = 0;
  std::uint32_t fctl_ = 0;
  unsigned command_vector_ = 0;
  unsigned fault_vector_ = 0;
  unsigned page_vector_ = 0;
  bool handlers_connected_ = false;
  bool running_ = false;
  std::vector<std::unique_ptr<RiscvDevice>> devices_;
  struct Guest {
    domain::VirtualIommuPorts* ports;
    std::uint32_t virtual_id;
  };
  std::unique_ptr<hal::Mutex> guests_lock_;  // guards guests_; held while an event is told
  std::map<std::uint32_t, Guest> guests_;    // by device id
};

}  // namespace iommusim::drivers::riscv
