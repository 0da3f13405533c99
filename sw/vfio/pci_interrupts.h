// SPDX-License-Identifier: Apache-2.0
// The interrupts of a function on their way to a program's eventfds: which of wire, MSI and MSI-X is in use, which
// vectors have a descriptor, and the masking of the wire. At most one of the three is in use; error and release
// requests go their own way beside it. SET_IRQS is set(); its rules are in set_irqs.cpp.
//
// Two locks: gate_ serialises programs' calls and may be held while the function is told; state_lock_ is a leaf that
// the function's own calls take, so an interrupt never waits for a program.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "hal/file.h"
#include "hal/os.h"
#include "uapi/vfio.h"
#include "vfio/pci_function.h"

namespace iommusim::vfio {

/// A call of SET_IRQS whose header has passed its checks; `data` is as long as the header says.
struct IrqRequest {
  uapi::VfioIrqSet header{};
  std::vector<std::uint8_t> data;

  bool has(std::uint32_t flag) const { return (header.flags & flag) != 0; }
  bool boolean(std::uint32_t i) const { return data[i] != 0; }
  std::int32_t descriptor(std::uint32_t i) const;
};

/// Where the kernel shows the state of interrupts: configuration space.
class InterruptDisplay {
 public:
  virtual ~InterruptDisplay() = default;
  virtual void show_msi(unsigned vectors) = 0;
  virtual void show_msix(bool enabled) = 0;
};

class PciInterrupts final : public PciInterruptSink {
 public:
  PciInterrupts(hal::Os& os, PciFunction& function, InterruptDisplay& display);

  /// How many interrupts an index has; 0 also for one that does not exist.
  std::uint32_t count(std::uint32_t index) const;
  /// 0, EINVAL, ENOTTY, EBADF.
  int set(hal::Process& caller, const IrqRequest& request);
  /// Nothing of the program is used any more.
  void disable_all();

  // What configuration space switches.
  void set_bus_master(bool on);
  void set_wire_disabled(bool disabled);
  /// Tells the function again which interrupts are in use, after its reset.
  void restore_function();
  bool wire_asserted();

  void set_wire(bool asserted) override;
  void message(unsigned vector) override;
  void error() override;
  void request_release() override;

 private:
  using Signal = std::shared_ptr<hal::EventSignal>;

  int set_wire_trigger(hal::Process& caller, const IrqRequest& request);
  int set_wire_mask(const IrqRequest& request, bool mask);
  int set_messages(hal::Process& caller, const IrqRequest& request, PciInterruptMode mode);
  int set_vectors(hal::Process& caller, const IrqRequest& request, PciInterruptMode mode);
  int set_single(hal::Process& caller, const IrqRequest& request, Signal& signal);
  /// EBADF, EINVAL; 0 and nothing in `out` for a negative number.
  static int find_signal(hal::Process& caller, std::int32_t fd, Signal& out);

  void switch_to(PciInterruptMode mode, unsigned vectors);
  void deliver_wire_locked();

  PciFunction& function_;
  InterruptDisplay& display_;
  std::unique_ptr<hal::Mutex> gate_;
  unsigned vectors_in_use_ = 0;  // gate_: vectors that the function was given
  mutable std::mutex state_lock_;
  PciInterruptMode mode_ = PciInterruptMode::kNone;  // state_lock_ all of these; written with gate_ as well
  std::vector<Signal> vectors_;                      // of MSI or MSI-X
  Signal wire_;
  Signal error_;
  Signal release_;
  bool asserted_ = false;       // the function's level
  bool masked_ = false;         // by the program, or by delivery (automask)
  bool wire_disabled_ = false;  // by the command register
  bool bus_master_ = false;
};

}  // namespace iommusim::vfio
