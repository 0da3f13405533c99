// SPDX-License-Identifier: Apache-2.0
// What a driver must know of the PCI test device: one BAR, one transfer of 4 KiB at a time between memory and a buffer
// inside the device. Data without behaviour, included by the model and by drivers.
#pragma once

#include <cstdint>

namespace iommusim::device_hw::pci_test {

inline constexpr std::uint16_t kVendor = 0x1234, kDevice = 0x11e9;
inline constexpr std::uint32_t kBarBytes = 4096;
inline constexpr std::uint32_t kTransferBytes = 4096;

// Registers of BAR 0.
inline constexpr std::uint32_t kAddress = 0x0;  ///< 64 bits: an IOVA; as two words the low one first
inline constexpr std::uint32_t kCommand = 0x8;
inline constexpr std::uint32_t kResult = 0xC;      ///< of the last transfer that ended
inline constexpr std::uint32_t kTransfers = 0x10;  ///< that ended since the reset

// Command.
inline constexpr std::uint32_t kStart = 1;       ///< reads as 1 while a transfer is under way
inline constexpr std::uint32_t kFromMemory = 2;  ///< into the device; else from the device to memory

enum Result : std::uint32_t { kNone = 0, kDone = 1, kFailed = 2 };

}  // namespace iommusim::device_hw::pci_test
