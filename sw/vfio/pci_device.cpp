// SPDX-License-Identifier: Apache-2.0
// The life of a function under a program, and what its configuration switches.
#include "vfio/pci_device.h"

#include <cerrno>
#include <mutex>

namespace iommusim::vfio {

PciDevice::PciDevice(hal::Os& os, const PciAddress& address, PciFunction& function,
                     const std::array<std::uint64_t, 6>& bar_addresses)
    : address_(address),
      function_(function),
      interrupts_(os, function, *this),
      config_lock_(os.make_mutex()),
      config_(lay_out_config(function.identity(), bar_addresses)),
      memory_lock_(os.make_rwlock()) {
  function_.connect(&interrupts_);
}

PciDevice::~PciDevice() { function_.connect(nullptr); }

void PciDevice::enable() {
  const std::lock_guard guard(*config_lock_);
  config_.restart();
  asleep_ = false;
  reset_locked();
}

void PciDevice::disable() {
  {
    const std::lock_guard guard(*config_lock_);
    config_.restart();  // bus mastering off
    reset_locked();
    const std::lock_guard no_access(*memory_lock_);
    memory_on_ = false;
  }
  interrupts_.disable_all();
}

// The configuration stays, as the kernel saves and restores it around a reset.
void PciDevice::reset_locked() {
  {
    const std::lock_guard no_access(*memory_lock_);
    function_.reset();
  }
  apply_switches_locked();
}

void PciDevice::reset() {
  {
    const std::lock_guard guard(*config_lock_);
    reset_locked();
  }
  interrupts_.restore_function();
}

int PciDevice::device_reset() {
  if (!identity().resettable) return -EINVAL;
  reset();
  return 0;
}

void PciDevice::apply_switches_locked() {
  interrupts_.set_wire_disabled(config_.wire_disabled());
  interrupts_.set_bus_master(config_.bus_master() && !asleep_);
  function_.set_bus_master(config_.bus_master() && !asleep_);
  const std::lock_guard no_access(*memory_lock_);
  memory_on_ = config_.memory_enabled() && !asleep_;
}

void PciDevice::set_asleep(bool asleep) {
  const std::lock_guard guard(*config_lock_);
  asleep_ = asleep;
  apply_switches_locked();
}

void PciDevice::show_msi(unsigned vectors) {
  const std::lock_guard guard(*config_lock_);
  config_.show_msi(vectors);
}

void PciDevice::show_msix(bool enabled) {
  const std::lock_guard guard(*config_lock_);
  config_.show_msix(enabled);
}

}  // namespace iommusim::vfio
