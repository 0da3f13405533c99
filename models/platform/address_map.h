// SPDX-License-Identifier: Apache-2.0
// Where things are in the physical address space of every system: fixed, so that two runs lay out memory alike.
#pragma once

#include <cstdint>

namespace iommusim::platform {

inline constexpr std::uint64_t kKernelMemory = 16ULL << 20;  ///< frames of the kernel begin here
inline constexpr std::uint64_t kMessageWindow = 0x1000;      ///< interrupt messages are written here
inline constexpr std::uint64_t kMessageWindowBytes = 0x1000;
/// Buffers of user programs: from half of the address space upward. A trace's physical address p lies at this + p, so
/// that what was contiguous, aligned or aliased in the traced machine is so here.
constexpr std::uint64_t user_memory(std::uint32_t physical_bits) { return 1ULL << (physical_bits - 1); }

/// The address space of a user program.
inline constexpr std::uint64_t kArgumentVa = 0x10000;   ///< a page for the arguments of ioctls
inline constexpr std::uint64_t kBufferVa = 1ULL << 40;  ///< its buffers, linear on user_memory()

}  // namespace iommusim::platform
