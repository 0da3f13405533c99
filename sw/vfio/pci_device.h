// SPDX-License-Identifier: Apache-2.0
// A function in the hands of a program: what vfio-pci does between the calls of the program and the hardware.
// Configuration space is emulated, and its switches act: with memory access off (or the device asleep) BARs cannot be
// reached, with bus mastering off the function sends nothing. Between enable() and disable() one program uses it,
// through any number of files.
//
// Locks, in the order of taking: the gate of the interrupts, config_lock_, memory_lock_ (shared by accesses to BARs,
// exclusive for what must find none under way).
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "hal/file.h"
#include "hal/os.h"
#include "vfio/config_space.h"
#include "vfio/pci_address.h"
#include "vfio/pci_interrupts.h"

namespace iommusim::vfio {

class PciDevice final : private InterruptDisplay {
 public:
  PciDevice(hal::Os& os, const PciAddress& address, PciFunction& function,
            const std::array<std::uint64_t, 6>& bar_addresses);
  ~PciDevice() override;

  const PciAddress& address() const { return address_; }
  const PciIdentity& identity() const { return function_.identity(); }

  /// The first program opens it: reset, memory decoding on, bus mastering off.
  void enable();
  /// The last file of the program is gone: no interrupt, no DMA of it comes any more.
  void disable();
  /// All but the configuration that a program set starts anew.
  void reset();

  // The calls of a program, by position or mapping of its file: bytes, or a negative errno.
  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& position);
  std::int64_t write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& position);
  int mmap(std::uint64_t offset, std::uint64_t bytes, bool shared, hal::MappedRegion& out);

  // ioctls: 0 or a negative errno.
  int get_info(hal::Process& caller, std::uint64_t arg);
  int get_region_info(hal::Process& caller, std::uint64_t arg);
  int get_irq_info(hal::Process& caller, std::uint64_t arg);
  int set_irqs(hal::Process& caller, std::uint64_t arg);
  int device_reset();
  int feature(hal::Process& caller, std::uint64_t arg);

  PciInterrupts& interrupts() { return interrupts_; }

 private:
  class BarRegisters;

  void show_msi(unsigned vectors) override;
  void show_msix(bool enabled) override;

  void apply_switches_locked();
  void reset_locked();
  void set_asleep(bool asleep);
  int enter_low_power(hal::Process& caller, std::uint64_t arg, std::uint32_t flags, std::uint64_t bytes, bool wakeup);

  std::int64_t access_config(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t offset,
                             bool write);
  std::int64_t access_bar(hal::Process& caller, unsigned bar, std::uint64_t user_va, std::uint64_t bytes,
                          std::uint64_t offset, bool write);
  std::int64_t read_rom(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t offset);
  std::int64_t access(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& position,
                      bool write);
  std::uint64_t load(unsigned bar, std::uint64_t offset, unsigned bytes);
  void store(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value);
  bool in_msix_table(unsigned bar, std::uint64_t offset) const;
  std::uint64_t rom_bytes() const;

  const PciAddress address_;
  PciFunction& function_;
  PciInterrupts interrupts_;
  std::unique_ptr<hal::Mutex> config_lock_;
  ConfigSpace config_;   // config_lock_
  bool asleep_ = false;  // config_lock_; low power, by DEVICE_FEATURE
  std::unique_ptr<hal::RwLock> memory_lock_;
  bool memory_on_ = false;  // memory_lock_
};

}  // namespace iommusim::vfio
