// SPDX-License-Identifier: Apache-2.0
// The configuration space of a function as bytes: what its registers hold after a reset, and which bits a program may
// change. Sizing of base address registers needs no more than that: the bits below a BAR's size cannot be changed.
// Capabilities in the first 256 bytes: power management, MSI, MSI-X, PCI Express; in the extended space: error
// reporting, ATS. PASID and page requests are not shown, as vfio-pci does not show them: their width is found in
// GET_HW_INFO.
#pragma once

#include <cstdint>
#include <vector>

#include "vfio/pci_function.h"

namespace iommusim::vfio {

/// Registers of the header, and of capabilities relative to their start.
inline constexpr std::uint32_t kCfgCommand = 0x04;
inline constexpr std::uint32_t kCfgStatus = 0x06;
inline constexpr std::uint32_t kCfgBar0 = 0x10;
inline constexpr std::uint32_t kCfgRom = 0x30;
inline constexpr std::uint32_t kCfgCapabilities = 0x34;
inline constexpr std::uint32_t kCfgInterruptLine = 0x3C;
inline constexpr std::uint32_t kPmControl = 4;
inline constexpr std::uint32_t kMsiFlags = 2;
inline constexpr std::uint32_t kMsixFlags = 2;
inline constexpr std::uint32_t kExpressControl = 8;

inline constexpr std::uint16_t kCommandIo = 1;
inline constexpr std::uint16_t kCommandMemory = 2;
inline constexpr std::uint16_t kCommandMaster = 4;
inline constexpr std::uint16_t kCommandIntxDisable = 0x400;
inline constexpr std::uint16_t kStatusInterrupt = 8;
inline constexpr std::uint16_t kMsiEnable = 1;
inline constexpr std::uint16_t kMsiQueueSize = 0x70;  ///< log2 of the vectors granted, shifted by 4
inline constexpr std::uint16_t kMsixEnable = 0x8000;
inline constexpr std::uint16_t kExpressFlr = 0x8000;

struct ConfigLayout {
  std::vector<std::uint8_t> value;     ///< 256 or 4096 bytes
  std::vector<std::uint8_t> writable;  ///< a bit set: a program may change it
  // Where the capabilities begin; 0 = the function has none of the kind.
  std::uint32_t pm = 0, msi = 0, msix = 0, express = 0;
};

/// `bar_addresses`: what the base address registers hold at first; multiples of their sizes.
ConfigLayout lay_out_config(const PciIdentity& identity, const std::array<std::uint64_t, 6>& bar_addresses);

}  // namespace iommusim::vfio
