// SPDX-License-Identifier: Apache-2.0
// SET_IRQS, index by index (uapi 11.5). Triggering without a descriptor (NONE, BOOL) fires the program's eventfds, so
// that it can test its own path.
#include <cerrno>
#include <cstring>

#include "vfio/pci_interrupts.h"

namespace iommusim::vfio {

std::int32_t IrqRequest::descriptor(std::uint32_t i) const {
  std::int32_t fd = 0;
  std::memcpy(&fd, data.data() + 4 * static_cast<std::size_t>(i), sizeof fd);
  return fd;
}

int PciInterrupts::find_signal(hal::Process& caller, std::int32_t fd, Signal& out) {
  out = nullptr;
  if (fd < 0) return 0;
  hal::Files* const files = caller.files();
  return files ? -files->find_event(fd, out) : EBADF;
}

int PciInterrupts::set(hal::Process& caller, const IrqRequest& request) {
  const std::lock_guard gate(*gate_);
  const bool trigger = request.has(uapi::kVfioIrqActionTrigger);
  switch (request.header.index) {
    case uapi::kVfioPciIntx:
      return trigger ? set_wire_trigger(caller, request)
                     : set_wire_mask(request, request.has(uapi::kVfioIrqActionMask));
    case uapi::kVfioPciMsi:
      return trigger ? set_messages(caller, request, PciInterruptMode::kMsi) : ENOTTY;
    case uapi::kVfioPciMsix:
      return trigger ? set_messages(caller, request, PciInterruptMode::kMsix) : ENOTTY;
    case uapi::kVfioPciErr:
      return trigger ? set_single(caller, request, error_) : ENOTTY;
    case uapi::kVfioPciReq:
      return trigger ? set_single(caller, request, release_) : ENOTTY;
    default:
      return EINVAL;
  }
}

int PciInterrupts::set_wire_trigger(hal::Process& caller, const IrqRequest& request) {
  const bool in_use = mode_ == PciInterruptMode::kWire;
  if (in_use && request.header.count == 0 && request.has(uapi::kVfioIrqDataNone)) {
    switch_to(PciInterruptMode::kNone, 0);
    return 0;
  }
  if (!in_use && mode_ != PciInterruptMode::kNone) return EINVAL;
  if (request.header.count != 1) return EINVAL;
  if (request.has(uapi::kVfioIrqDataEventfd)) {
    Signal signal;
    if (const int error = find_signal(caller, request.descriptor(0), signal)) return error;
    if (!in_use) switch_to(PciInterruptMode::kWire, 1);
    const std::lock_guard guard(state_lock_);
    wire_.swap(signal);
    if (!in_use) deliver_wire_locked();
    return 0;
  }
  if (!in_use) return EINVAL;
  const std::lock_guard guard(state_lock_);
  if ((request.has(uapi::kVfioIrqDataNone) || request.boolean(0)) && wire_ && !wire_disabled_) wire_->signal();
  return 0;
}

int PciInterrupts::set_wire_mask(const IrqRequest& request, bool mask) {
  if (mode_ != PciInterruptMode::kWire || request.header.count != 1) return EINVAL;
  // Masking by an eventfd does not exist in Linux; unmasking by one serves virtual machines whose interrupts the kernel
  // injects, of which nothing is here. A negative descriptor ends what never began.
  if (request.has(uapi::kVfioIrqDataEventfd)) return !mask && request.descriptor(0) < 0 ? 0 : ENOTTY;
  if (request.has(uapi::kVfioIrqDataBool) && !request.boolean(0)) return 0;
  const std::lock_guard guard(state_lock_);
  masked_ = mask || wire_disabled_;
  deliver_wire_locked();  // again, if the wire is still asserted
  return 0;
}

int PciInterrupts::set_messages(hal::Process& caller, const IrqRequest& request, PciInterruptMode mode) {
  const bool in_use = mode_ == mode;
  if (in_use && request.header.count == 0 && request.has(uapi::kVfioIrqDataNone)) {
    switch_to(PciInterruptMode::kNone, 0);
    return 0;
  }
  if (!in_use && mode_ != PciInterruptMode::kNone) return EINVAL;
  const uapi::VfioIrqSet& header = request.header;
  if (request.has(uapi::kVfioIrqDataEventfd)) {
    if (in_use) return set_vectors(caller, request, mode);
    if (header.start + header.count == 0) return EINVAL;  // MSI of no vectors
    switch_to(mode, header.start + header.count);
    const int error = set_vectors(caller, request, mode);
    if (error) switch_to(PciInterruptMode::kNone, 0);
    return error;
  }
  if (!in_use) return EINVAL;
  const std::lock_guard guard(state_lock_);
  for (std::uint32_t i = 0; i < header.count; ++i) {
    const std::size_t vector = static_cast<std::size_t>(header.start) + i;
    if (vector >= vectors_.size() || !vectors_[vector]) continue;
    if (request.has(uapi::kVfioIrqDataNone) || request.boolean(i)) vectors_[vector]->signal();
  }
  return 0;
}

// Vectors beyond those that the index was enabled with: MSI-X grows, MSI cannot (NORESIZE). On failure the vectors that
// the call had reached have no descriptor.
int PciInterrupts::set_vectors(hal::Process& caller, const IrqRequest& request, PciInterruptMode mode) {
  const std::uint32_t start = request.header.start, count = request.header.count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t vector = static_cast<std::size_t>(start) + i;
    const std::int32_t fd = request.descriptor(i);
    Signal signal;
    const bool beyond = fd >= 0 && vector >= vectors_in_use_ && mode == PciInterruptMode::kMsi;
    const int error = beyond ? EINVAL : find_signal(caller, fd, signal);
    const std::lock_guard guard(state_lock_);
    if (error) {
      for (std::size_t undo = start; undo <= vector && undo < vectors_.size(); ++undo) vectors_[undo] = nullptr;
      return error;
    }
    if (vector < vectors_.size())
      vectors_[vector].swap(signal);
    else if (signal)
      vectors_.resize(vector + 1), vectors_[vector].swap(signal);
  }
  if (vectors_.size() > vectors_in_use_) {
    vectors_in_use_ = static_cast<unsigned>(vectors_.size());
    function_.set_interrupt_mode(mode, vectors_in_use_);
  }
  return 0;
}

int PciInterrupts::set_single(hal::Process& caller, const IrqRequest& request, Signal& signal) {
  const std::uint32_t count = request.header.count;
  if (request.has(uapi::kVfioIrqDataNone)) {
    const std::lock_guard guard(state_lock_);
    if (!signal) return EINVAL;
    if (count != 0)
      signal->signal();
    else
      signal = nullptr;
    return 0;
  }
  if (count == 0) return EINVAL;
  if (request.has(uapi::kVfioIrqDataBool)) {
    const std::lock_guard guard(state_lock_);
    if (request.boolean(0) && signal) signal->signal();
    return 0;
  }
  if (request.descriptor(0) < -1) return 0;  // neither a descriptor nor the wish to remove one
  Signal found;
  if (const int error = find_signal(caller, request.descriptor(0), found)) return error;
  const std::lock_guard guard(state_lock_);
  signal.swap(found);
  return 0;
}

}  // namespace iommusim::vfio
