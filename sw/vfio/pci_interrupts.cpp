// SPDX-License-Identifier: Apache-2.0
// Delivery of interrupts, and the switch between their kinds.
#include "vfio/pci_interrupts.h"

namespace iommusim::vfio {

PciInterrupts::PciInterrupts(hal::Os& os, PciFunction& function, InterruptDisplay& display)
    : function_(function), display_(display), gate_(os.make_mutex()) {}

std::uint32_t PciInterrupts::count(std::uint32_t index) const {
  const PciIdentity& identity = function_.identity();
  switch (index) {
    case uapi::kVfioPciIntx:
      return identity.interrupt_pin != 0 ? 1 : 0;
    case uapi::kVfioPciMsi:
      return identity.msi_vectors;
    case uapi::kVfioPciMsix:
      return identity.msix.vectors;
    case uapi::kVfioPciErr:
      return identity.express ? 1 : 0;
    case uapi::kVfioPciReq:
      return 1;
    default:
      return 0;
  }
}

void PciInterrupts::switch_to(PciInterruptMode mode, unsigned vectors) {
  PciInterruptMode before;
  std::vector<Signal> room(mode == PciInterruptMode::kMsi || mode == PciInterruptMode::kMsix ? vectors : 0);
  Signal old_wire;
  {
    const std::lock_guard guard(state_lock_);
    before = mode_;
    mode_ = mode;
    vectors_.swap(room);
    old_wire.swap(wire_);
    masked_ = mode == PciInterruptMode::kWire && wire_disabled_;
  }
  vectors_in_use_ = vectors;
  if (before == PciInterruptMode::kMsi) display_.show_msi(0);
  if (before == PciInterruptMode::kMsix) display_.show_msix(false);
  if (mode == PciInterruptMode::kMsi) display_.show_msi(vectors);
  if (mode == PciInterruptMode::kMsix) display_.show_msix(true);
  function_.set_interrupt_mode(mode, vectors);
}

void PciInterrupts::disable_all() {
  const std::lock_guard gate(*gate_);
  switch_to(PciInterruptMode::kNone, 0);
  const std::lock_guard guard(state_lock_);
  error_ = nullptr;
  release_ = nullptr;
}

void PciInterrupts::restore_function() {
  const std::lock_guard gate(*gate_);
  PciInterruptMode mode;
  {
    const std::lock_guard guard(state_lock_);
    mode = mode_;
  }
  if (mode != PciInterruptMode::kNone) function_.set_interrupt_mode(mode, vectors_in_use_);
}

// A wire that is asserted and not masked is delivered once, and masked until the program unmasks it (AUTOMASKED).
void PciInterrupts::deliver_wire_locked() {
  if (mode_ != PciInterruptMode::kWire || !asserted_ || masked_ || wire_disabled_) return;
  masked_ = true;
  if (wire_) wire_->signal();
}

void PciInterrupts::set_wire(bool asserted) {
  const std::lock_guard guard(state_lock_);
  asserted_ = asserted;
  deliver_wire_locked();
}

void PciInterrupts::message(unsigned vector) {
  const std::lock_guard guard(state_lock_);
  if (!bus_master_ || vector >= vectors_.size() || !vectors_[vector]) return;
  vectors_[vector]->signal();
}

void PciInterrupts::error() {
  const std::lock_guard guard(state_lock_);
  if (error_) error_->signal();
}

void PciInterrupts::request_release() {
  const std::lock_guard guard(state_lock_);
  if (release_) release_->signal();
}

void PciInterrupts::set_bus_master(bool on) {
  const std::lock_guard guard(state_lock_);
  bus_master_ = on;
}

void PciInterrupts::set_wire_disabled(bool disabled) {
  const std::lock_guard guard(state_lock_);
  if (wire_disabled_ == disabled) return;
  wire_disabled_ = disabled;
  masked_ = disabled;  // as the mask and unmask of SET_IRQS
  deliver_wire_locked();
}

bool PciInterrupts::wire_asserted() {
  const std::lock_guard guard(state_lock_);
  return asserted_;
}

}  // namespace iommusim::vfio
