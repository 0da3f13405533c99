// SPDX-License-Identifier: Apache-2.0
// One function for each part of configuration space. Sources of the numbers: PCI 3.0 6.1 (header), PCI-PM 3.2, PCI 3.0
// 6.8 (MSI, MSI-X), PCI Express 7.5.3 (its capability), 7.8.4 (AER), 10.5.1 (ATS).
#include "vfio/config_layout.h"

namespace iommusim::vfio {
namespace {

constexpr std::uint8_t kCapPm = 0x01, kCapMsi = 0x05, kCapExpress = 0x10, kCapMsix = 0x11;
constexpr std::uint16_t kExtAer = 0x0001, kExtAts = 0x000F;
constexpr std::uint32_t kPmAt = 0x40, kMsiAt = 0x48, kMsixAt = 0x60, kExpressAt = 0x70;
constexpr std::uint32_t kAerAt = 0x100, kAtsAt = 0x148;

class Builder {
 public:
  explicit Builder(std::uint32_t bytes) {
    layout_.value.assign(bytes, 0);
    layout_.writable.assign(bytes, 0);
  }
  void set(std::uint32_t at, unsigned bytes, std::uint64_t value, std::uint64_t writable = 0) {
    for (unsigned i = 0; i < bytes; ++i) {
      layout_.value[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
      layout_.writable[at + i] = static_cast<std::uint8_t>(writable >> (8 * i));
    }
  }
  /// Links a capability into the list.
  void capability(std::uint32_t at, std::uint8_t id) {
    layout_.value[link_] = static_cast<std::uint8_t>(at);
    link_ = at + 1;
    layout_.value[at] = id;
  }
  void extended(std::uint32_t at, std::uint16_t id, unsigned version) {
    set(at, 4, static_cast<std::uint64_t>(version) << 16 | id);
    if (last_extended_ != 0) {
      layout_.value[last_extended_ + 2] =
          static_cast<std::uint8_t>((layout_.value[last_extended_ + 2] & 0x0F) | (at & 0x0F) << 4);
      layout_.value[last_extended_ + 3] = static_cast<std::uint8_t>(at >> 4);
    }
    last_extended_ = at;
  }
  ConfigLayout& layout() { return layout_; }

 private:
  ConfigLayout layout_;
  std::uint32_t link_ = kCfgCapabilities;
  std::uint32_t last_extended_ = 0;
};

void header(Builder& to, const PciIdentity& identity) {
  to.set(0x00, 2, identity.vendor);
  to.set(0x02, 2, identity.device);
  // Memory decoding is on from the start, as after the kernel enabled the device; I/O, too, if it has ports.
  bool io = false, memory = false;
  for (const PciBar& bar : identity.bars) (bar.io ? io : memory) |= bar.bytes != 0;
  const std::uint16_t decoding = static_cast<std::uint16_t>((io ? kCommandIo : 0) | (memory ? kCommandMemory : 0));
  constexpr std::uint16_t kParityAndErrors = 0x0140;
  to.set(kCfgCommand, 2, decoding,
         kCommandIo | kCommandMemory | kCommandMaster | kParityAndErrors | kCommandIntxDisable);
  to.set(0x08, 1, identity.revision);
  to.set(0x09, 3, identity.class_code);
  to.set(0x0C, 1, 0, 0xFF);  // cache line size
  to.set(0x2C, 2, identity.subsystem_vendor);
  to.set(0x2E, 2, identity.subsystem_device);
  to.set(kCfgInterruptLine, 1, 0, 0xFF);
  to.set(0x3D, 1, identity.interrupt_pin);
}

void base_addresses(Builder& to, const PciIdentity& identity, const std::array<std::uint64_t, 6>& addresses) {
  for (unsigned i = 0; i < identity.bars.size(); ++i) {
    const PciBar& bar = identity.bars[i];
    if (bar.bytes == 0) continue;
    const std::uint64_t flags = bar.io ? 1 : (bar.wide ? 4 : 0) | (bar.prefetchable ? 8 : 0);
    to.set(kCfgBar0 + 4 * i, bar.wide ? 8 : 4, addresses[i] | flags, ~(bar.bytes - 1));
  }
  if (identity.rom.empty()) return;
  std::uint64_t bytes = 2048;  // the smallest that the register can say
  while (bytes < identity.rom.size()) bytes *= 2;
  to.set(kCfgRom, 4, 0, ~(bytes - 1) | 1);  // and its enable bit
}

void power_management(Builder& to) {
  to.layout().pm = kPmAt;
  to.capability(kPmAt, kCapPm);
  to.set(kPmAt + 2, 2, 3);              // version 3: states D0 and D3hot only, no PME
  to.set(kPmAt + kPmControl, 2, 8, 3);  // NoSoftReset; the state
}

void msi(Builder& to, unsigned vectors) {
  unsigned log2 = 0;
  while (1U << log2 < vectors) ++log2;
  to.layout().msi = kMsiAt;
  to.capability(kMsiAt, kCapMsi);
  to.set(kMsiAt + kMsiFlags, 2, 0x80 | log2 << 1, kMsiEnable | kMsiQueueSize);  // 64-bit addresses
  to.set(kMsiAt + 4, 4, 0, 0xFFFF'FFFC);
  to.set(kMsiAt + 8, 4, 0, 0xFFFF'FFFF);
  to.set(kMsiAt + 12, 2, 0, 0xFFFF);
}

void msix(Builder& to, const PciMsix& msix) {
  to.layout().msix = kMsixAt;
  to.capability(kMsixAt, kCapMsix);
  to.set(kMsixAt + kMsixFlags, 2, msix.vectors - 1);
  to.set(kMsixAt + 4, 4, msix.table_offset | msix.table_bar);
  to.set(kMsixAt + 8, 4, msix.pending_offset | msix.pending_bar);
}

void express(Builder& to, const PciIdentity& identity) {
  constexpr std::uint32_t kErrorReporting = 1U << 15, kFlrCapable = 1U << 28;
  to.layout().express = kExpressAt;
  to.capability(kExpressAt, kCapExpress);
  to.set(kExpressAt + 2, 2, 2);                                                              // version 2, endpoint
  to.set(kExpressAt + 4, 4, 1 | kErrorReporting | (identity.resettable ? kFlrCapable : 0));  // payloads up to 256
  to.set(kExpressAt + kExpressControl, 2, 0x2810, 0x7FFF);  // relaxed order, no snoop, reads of 512 bytes
  to.set(kExpressAt + 0x0C, 4, 0x0040'0083);                // link: 8 GT/s, 8 lanes, ASPM off
  to.set(kExpressAt + 0x12, 2, 0x0083);                     // the same, negotiated
  to.set(kExpressAt + 0x24, 4, 0x0000'001F);                // completion timeouts
  to.set(kExpressAt + 0x28, 2, 0, 0x001F);
  to.set(kExpressAt + 0x2C, 4, 0x0000'000E);  // link speeds 2.5 to 8 GT/s
  to.set(kExpressAt + 0x30, 2, 3);
}

void error_reporting(Builder& to) {
  to.extended(kAerAt, kExtAer, 2);
  to.set(kAerAt + 0x08, 4, 0, 0x07FF'FFF0);            // uncorrectable: mask
  to.set(kAerAt + 0x0C, 4, 0x0046'2030, 0x07FF'FFF0);  // severity
  to.set(kAerAt + 0x14, 4, 0x0000'E000, 0x0000'F1C1);  // correctable: mask
}

void address_translation(Builder& to) {
  to.extended(kAtsAt, kExtAts, 1);
  to.set(kAtsAt + 4, 2, 0x0020);  // aligned requests, 32 invalidations in flight
}

}  // namespace

ConfigLayout lay_out_config(const PciIdentity& identity, const std::array<std::uint64_t, 6>& bar_addresses) {
  Builder to(identity.express ? 4096 : 256);
  header(to, identity);
  base_addresses(to, identity, bar_addresses);
  if (identity.power_management) power_management(to);
  if (identity.msi_vectors != 0) msi(to, identity.msi_vectors);
  if (identity.msix.vectors != 0) msix(to, identity.msix);
  if (identity.express) {
    express(to, identity);
    error_reporting(to);
    if (identity.ats) address_translation(to);
  }
  ConfigLayout& layout = to.layout();
  if (layout.value[kCfgCapabilities] != 0) layout.value[kCfgStatus] = 0x10;
  return layout;
}

}  // namespace iommusim::vfio
