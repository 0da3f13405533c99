// SPDX-License-Identifier: Apache-2.0
// Bit fields by position and width, and alignment helpers. All on std::uint64_t.
#pragma once

#include <cstdint>

namespace iommusim::base {

/// `width` low bits set; width 0..64.
constexpr std::uint64_t mask_of(unsigned width) { return width >= 64 ? ~0ULL : (1ULL << width) - 1; }

/// Bits [lsb + width - 1 : lsb] of `word`, right aligned.
constexpr std::uint64_t bits(std::uint64_t word, unsigned lsb, unsigned width) {
  return (word >> lsb) & mask_of(width);
}

constexpr bool bit(std::uint64_t word, unsigned position) { return ((word >> position) & 1U) != 0; }

/// `word` with bits [lsb + width - 1 : lsb] replaced by the low bits of `value`.
constexpr std::uint64_t with_bits(std::uint64_t word, unsigned lsb, unsigned width, std::uint64_t value) {
  return (word & ~(mask_of(width) << lsb)) | ((value & mask_of(width)) << lsb);
}

/// `alignment` is a power of two.
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) { return value & ~(alignment - 1); }
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return align_down(value + alignment - 1, alignment);
}
constexpr bool is_power_of_two(std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

/// Floor of log2; `value` is not 0.
constexpr unsigned log2_floor(std::uint64_t value) { return 63U - static_cast<unsigned>(__builtin_clzll(value)); }

}  // namespace iommusim::base
