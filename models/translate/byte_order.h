// SPDX-License-Identifier: Apache-2.0
// Byte order of in-memory structures (IOMMU 2.10): asks and answers carry little-endian words; a structure that fctl.BE
// or DC.tc.SBE makes big-endian is swapped here, in one place, in either direction.
#pragma once

#include <cstdint>

namespace iommusim::translate {

/// `word` of 4 or 8 bytes as memory has it <-> as the specification draws it.
constexpr std::uint64_t to_host(std::uint64_t word, unsigned bytes, bool big_endian) {
  if (bytes == 4) {
    const auto half = static_cast<std::uint32_t>(word);
    return big_endian ? __builtin_bswap32(half) : half;
  }
  return big_endian ? __builtin_bswap64(word) : word;
}

}  // namespace iommusim::translate
