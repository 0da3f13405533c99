// SPDX-License-Identifier: Apache-2.0
// Writes go through the mask of the layout byte by byte; then the registers that mean more are settled.
#include "vfio/config_space.h"

#include <algorithm>
#include <cstring>

namespace iommusim::vfio {
namespace {

constexpr std::uint16_t kPowerState = 3, kD3Hot = 3;

bool overlaps(std::uint32_t offset, std::size_t bytes, std::uint32_t at, std::uint32_t of) {
  return offset < at + of && at < offset + bytes;
}

}  // namespace

ConfigSpace::ConfigSpace(ConfigLayout layout) : layout_(std::move(layout)), value_(layout_.value) {}

void ConfigSpace::restart() {
  value_ = layout_.value;
  msi_granted_ = false;
  msi_most_ = 0;
}

std::uint16_t ConfigSpace::word(std::uint32_t at) const {
  return static_cast<std::uint16_t>(value_[at] | value_[at + 1] << 8);
}

void ConfigSpace::set_word(std::uint32_t at, std::uint16_t value) {
  value_[at] = static_cast<std::uint8_t>(value);
  value_[at + 1] = static_cast<std::uint8_t>(value >> 8);
}

bool ConfigSpace::in_d0() const { return layout_.pm == 0 || (word(layout_.pm + kPmControl) & kPowerState) == 0; }

void ConfigSpace::read(std::uint32_t offset, void* out, std::size_t bytes) const {
  std::memcpy(out, value_.data() + offset, bytes);
}

ConfigSpace::Written ConfigSpace::write(std::uint32_t offset, const void* in, std::size_t bytes) {
  const std::uint16_t power_before = layout_.pm != 0 ? word(layout_.pm + kPmControl) : 0;
  const auto* from = static_cast<const std::uint8_t*>(in);
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::uint8_t mask = layout_.writable[offset + i];
    std::uint8_t& byte = value_[offset + i];
    byte = static_cast<std::uint8_t>((byte & ~mask) | (from[i] & mask));
  }
  Written written;
  written.switches = overlaps(offset, bytes, kCfgCommand, 2);
  if (layout_.pm != 0 && overlaps(offset, bytes, layout_.pm + kPmControl, 2)) {
    settle_power(power_before);
    written.switches = true;
  }
  if (layout_.msi != 0 && overlaps(offset, bytes, layout_.msi + kMsiFlags, 2)) settle_msi();
  if (layout_.express != 0) {
    constexpr std::uint32_t kFlrByte = kExpressControl + 1;  // the request is never stored: it reads as 0
    const std::uint32_t at = layout_.express + kFlrByte;
    const bool capable = (value_[layout_.express + 7] & 0x10) != 0;
    if (capable && overlaps(offset, bytes, at, 1)) written.function_reset = (from[at - offset] & 0x80) != 0;
  }
  return written;
}

// A state that the function does not have leaves it where it was.
void ConfigSpace::settle_power(std::uint16_t before) {
  const std::uint32_t at = layout_.pm + kPmControl;
  const std::uint16_t state = word(at) & kPowerState;
  if (state != 0 && state != kD3Hot)
    set_word(at, static_cast<std::uint16_t>((word(at) & ~kPowerState) | (before & kPowerState)));
}

// SET_IRQS enables MSI; the program's own bit can only hide that. It gets no more vectors than it asked for there.
void ConfigSpace::settle_msi() {
  const std::uint32_t at = layout_.msi + kMsiFlags;
  std::uint16_t flags = word(at);
  if (!msi_granted_) flags = static_cast<std::uint16_t>(flags & ~kMsiEnable);
  if ((flags & kMsiQueueSize) > msi_most_) flags = static_cast<std::uint16_t>((flags & ~kMsiQueueSize) | msi_most_);
  set_word(at, flags);
}

void ConfigSpace::show_wire(bool asserted) {
  const std::uint16_t status = word(kCfgStatus);
  set_word(kCfgStatus, static_cast<std::uint16_t>(asserted ? status | kStatusInterrupt : status & ~kStatusInterrupt));
}

void ConfigSpace::show_msi(unsigned vectors) {
  unsigned log2 = 0;
  while (1U << log2 < vectors) ++log2;
  msi_granted_ = vectors != 0;
  msi_most_ = static_cast<std::uint16_t>(log2 << 4);
  const std::uint32_t at = layout_.msi + kMsiFlags;
  const auto kept = static_cast<std::uint16_t>(word(at) & ~(kMsiEnable | kMsiQueueSize));
  set_word(at, static_cast<std::uint16_t>(kept | msi_most_ | (msi_granted_ ? kMsiEnable : 0)));
}

void ConfigSpace::show_msix(bool enabled) {
  const std::uint32_t at = layout_.msix + kMsixFlags;
  const std::uint16_t flags = word(at);
  set_word(at, static_cast<std::uint16_t>(enabled ? flags | kMsixEnable : flags & ~kMsixEnable));
}

}  // namespace iommusim::vfio
