// SPDX-License-Identifier: Apache-2.0
// What a driver must know of the NIC: registers, descriptors. Data without behaviour, included by the model and by the
// driver. A queue has a ring for receiving and one for sending. Software fills descriptors and moves the tail; the
// device fetches them, moves data, and writes each descriptor back where it was, with a status.
#pragma once

#include <cstdint>

namespace iommusim::device_hw::nic {

// Registers, 32 bits wide unless said otherwise.
inline constexpr std::uint32_t kControl = 0x0;  ///< bit 0: packets arrive from the wire
inline constexpr std::uint32_t kQueues = 0x4;   ///< read only: how many there are
inline constexpr std::uint32_t kFirstQueue = 0x1000;
inline constexpr std::uint32_t kQueueStep = 0x100;
inline constexpr std::uint32_t kReceive = 0x0, kTransmit = 0x40;  ///< a queue's rings, each with:
inline constexpr std::uint32_t kRingBase = 0x0;                   ///< 64 bits: IOVA of the first descriptor
inline constexpr std::uint32_t kRingEntries = 0x8;                ///< at least 2; one stays free
inline constexpr std::uint32_t kRingTail = 0xc;                   ///< first entry that is software's
inline constexpr std::uint32_t kRingControl = 0x10;               ///< bit 0: on. Turning on begins at entry 0
inline constexpr std::uint32_t kRingStatus = 0x14;                ///< see below; read only
inline constexpr std::uint32_t kInterruptEnable = 0x80;           ///< of a queue; writing 1 asks for one interrupt
inline constexpr std::uint32_t kRegisterBytes = 0x100000;

inline constexpr std::uint32_t kStatusBusy = 1;   ///< DMA of the ring is under way
inline constexpr std::uint32_t kStatusError = 2;  ///< a descriptor could not be read or written: the ring stands still

// A descriptor is two little-endian words: the IOVA of a buffer; length in 31:0, flags in 47:32, status in 63:48.
inline constexpr std::uint32_t kDescriptorBytes = 16;
inline constexpr std::uint32_t kEndOfPacket = 1;  ///< flag of software (sending): last piece of a packet
inline constexpr std::uint32_t kDone = 1;         ///< status: the device is through; length is that of the data
inline constexpr std::uint32_t kEnd = 2;          ///< status: last piece of a packet
inline constexpr std::uint32_t kFailed = 4;       ///< status: DMA of the packet's data failed

struct Descriptor {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::uint32_t flags = 0;   ///< 16 bits
  std::uint32_t status = 0;  ///< 16 bits
};

constexpr std::uint64_t second_word(const Descriptor& descriptor) {
  return descriptor.length | std::uint64_t{descriptor.flags} << 32 | std::uint64_t{descriptor.status} << 48;
}
constexpr Descriptor descriptor_of(std::uint64_t first, std::uint64_t second) {
  return {first, static_cast<std::uint32_t>(second), static_cast<std::uint32_t>(second >> 32 & 0xffff),
          static_cast<std::uint32_t>(second >> 48)};
}

}  // namespace iommusim::device_hw::nic
