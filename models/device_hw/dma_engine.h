// SPDX-License-Identifier: Apache-2.0
// What a driver must know of the DMA engine: channels, each with a ring of descriptors in memory. A descriptor asks for
// a copy or a fill; the engine works on those of a channel in order, writes the status of each into it, and may raise
// the channel's interrupt (message `channel`). Data without behaviour, included by the model and by drivers.
#pragma once

#include <cstdint>

namespace iommusim::device_hw::dma_engine {

inline constexpr std::uint16_t kVendor = 0x1234, kDevice = 0x11ea;
inline constexpr std::uint32_t kBarBytes = 0x4000;
inline constexpr std::uint32_t kMostChannels = 64;

// Registers of BAR 0.
inline constexpr std::uint32_t kIdentity = 0x0;  ///< reads kIdentityValue
inline constexpr std::uint32_t kChannels = 0x4;  ///< how many there are
inline constexpr std::uint32_t kIdentityValue = 0x31414d44;
inline constexpr std::uint32_t kMsixTable = 0x2000, kMsixPending = 0x3000;  ///< in the same BAR
inline constexpr std::uint32_t kFirstChannel = 0x1000, kChannelStep = 0x40;

// Of a channel. Base and entries take effect when it is enabled.
inline constexpr std::uint32_t kRingBase = 0x00;     ///< 64 bits: IOVA, a multiple of the size of a descriptor
inline constexpr std::uint32_t kRingEntries = 0x08;  ///< 2 to 65536
inline constexpr std::uint32_t kControl = 0x0C;
inline constexpr std::uint32_t kTail = 0x10;    ///< first descriptor that is not the engine's
inline constexpr std::uint32_t kHead = 0x14;    ///< first descriptor that has no status yet
inline constexpr std::uint32_t kStatus = 0x18;  ///< read only

constexpr std::uint32_t channel_register(std::uint32_t channel, std::uint32_t offset) {
  return kFirstChannel + channel * kChannelStep + offset;
}

// Control: bit 0 enables (0: head and tail become 0 once the channel is idle), bit 1: all its DMA has the PASID in
// 31:12.
inline constexpr std::uint32_t kEnable = 1, kPasidValid = 2, kPasidShift = 12;
// Status.
inline constexpr std::uint32_t kActive = 1;  ///< works on descriptors, or has DMA under way
inline constexpr std::uint32_t kBroken = 2;  ///< the ring is out of reach; until it is disabled

inline constexpr std::uint32_t kDescriptorBytes = 32;

enum Opcode : std::uint32_t { kCopy = 0, kFill = 1 };
inline constexpr std::uint32_t kInterrupt = 0x100;  ///< beside the opcode: when it has its status

enum Outcome : std::uint32_t {
  kPending = 0,  ///< as software wrote it
  kDone = 1,
  kInvalid = 2,            ///< an opcode that is not there, or no bytes
  kSourceFailed = 3,       ///< some byte could not be read
  kDestinationFailed = 4,  ///< some byte could not be written
};

struct Descriptor {
  std::uint32_t operation = 0;  ///< Opcode, kInterrupt
  std::uint32_t bytes = 0;
  std::uint64_t source = 0;  ///< IOVA; of a fill, eight bytes that are repeated from the first byte on
  std::uint64_t destination = 0;
  std::uint32_t outcome = 0;  ///< written by the engine, together with `count`
  std::uint32_t count = 0;    ///< descriptors of this channel that have their status, with this one
};
static_assert(sizeof(Descriptor) == kDescriptorBytes);
inline constexpr std::uint32_t kOutcomeOffset = 24;

}  // namespace iommusim::device_hw::dma_engine
