// SPDX-License-Identifier: Apache-2.0
// A PCI function as the VFIO layer sees it: what it is, its BARs, its reset, its interrupts. Models of devices
// implement it (a scripted one in tests), the VFIO layer drives it; configuration space is not here, the VFIO layer
// emulates it from the identity and tells the function what a program switched. All calls may come from several
// threads; those that reach registers may let simulated time pass.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace iommusim::vfio {

/// A base address register. `bytes`: 0 = absent, else a power of two from 16 on. A wide one (64 bits) takes the next
/// register as well, which must be absent.
struct PciBar {
  std::uint64_t bytes = 0;
  bool wide = false;
  bool prefetchable = false;
  bool io = false;            ///< a window of ports; never mapped
  bool mappable = false;      ///< a program may map it
  std::uint64_t address = 0;  ///< where it lies, a multiple of `bytes`; 0: the VFIO layer chooses
};

/// MSI-X: the table and the pending bits lie in a BAR.
struct PciMsix {
  unsigned vectors = 0;  ///< 0 = no MSI-X; at most 2048
  unsigned table_bar = 0;
  std::uint32_t table_offset = 0;  ///< multiple of 8
  unsigned pending_bar = 0;
  std::uint32_t pending_offset = 0;
};

/// What does not change: the read-only part of configuration space.
struct PciIdentity {
  std::uint16_t vendor = 0xFFFF;
  std::uint16_t device = 0xFFFF;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem_device = 0;
  std::uint32_t class_code = 0xFF0000;  ///< base class, sub-class, programming interface: 24 bits
  std::uint8_t revision = 0;
  std::array<PciBar, 6> bars{};
  std::vector<std::uint8_t> rom;  ///< expansion ROM; empty = none
  unsigned interrupt_pin = 0;     ///< 1 to 4 = INTA to INTD; 0 = no wire
  unsigned msi_vectors = 0;       ///< 0 = no MSI; 1, 2, 4, 8, 16 or 32
  PciMsix msix;
  bool express = true;           ///< a PCI Express endpoint: 4096 bytes of configuration space, error reports
  bool power_management = true;  ///< has the PM capability
  bool resettable = true;        ///< can be reset by itself (FLR)
  unsigned pasid_bits = 0;       ///< width of PASIDs it can send; 0 = no PASID capability
  bool ats = false;
  bool page_requests = false;
};

enum class PciInterruptMode { kNone, kWire, kMsi, kMsix };

/// Where a function's interrupts go. May be called from any thread, also while a call into the function runs; does not
/// call back into the function.
class PciInterruptSink {
 public:
  virtual ~PciInterruptSink() = default;
  /// Level of the wire. It shows at the program only in mode kWire, while not masked.
  virtual void set_wire(bool asserted) = 0;
  /// Message `vector` of MSI or MSI-X, which counts from 0. Lost when that vector is not enabled or bus mastering is
  /// off.
  virtual void message(unsigned vector) = 0;
  /// An uncorrectable error of the function (AER).
  virtual void error() = 0;
  /// The host would like to take the device away.
  virtual void request_release() = 0;
};

class PciFunction {
 public:
  virtual ~PciFunction() = default;

  virtual const PciIdentity& identity() const = 0;

  /// A load or store of the processor: 1, 2, 4 or 8 bytes, naturally aligned, inside the BAR. The value stands in the
  /// low bytes. Never called while memory access is switched off.
  virtual std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned bytes) = 0;
  virtual void bar_write(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value) = 0;

  /// Where the BAR is plain memory, by system-physical address, contiguous: a mapping shows it. 0: it has registers,
  /// and each load and store of a mapping becomes a call of the two above.
  virtual std::uint64_t bar_memory(unsigned /*bar*/) const { return 0; }

  /// The command register's bit. While off the function starts no DMA (what is under way may end) and sends no message.
  /// Off at first and after reset().
  virtual void set_bus_master(bool on) = 0;
  /// Which kind of interrupts the program enabled, and how many vectors; kNone at first and after reset().
  virtual void set_interrupt_mode(PciInterruptMode /*mode*/, unsigned /*vectors*/) {}
  /// From here on interrupts go to `sink`, null: nowhere. Returns when no call into the earlier one is running.
  virtual void connect(PciInterruptSink* sink) = 0;
  /// Back to the state after power-on. On return no DMA of before is under way. The sink stays.
  virtual void reset() = 0;
};

}  // namespace iommusim::vfio
