// SPDX-License-Identifier: Apache-2.0
// A bit field of a register or of an in-memory word, as the .def lists declare it.
#pragma once

#include <cstdint>

#include "base/bits.h"

namespace iommusim::spec {

/// Attribute of a field as software sees it (IOMMU 5); fields of in-memory words are kReadWrite.
enum class FieldAccess : std::uint8_t { kReadOnly, kReadWrite, kWarl, kWriteOneClear, kWriteOneSet };

struct Field {
  std::uint8_t lsb = 0;
  std::uint8_t width = 1;
  FieldAccess access = FieldAccess::kReadWrite;

  constexpr std::uint64_t mask() const { return base::mask_of(width) << lsb; }
  constexpr std::uint64_t get(std::uint64_t word) const { return base::bits(word, lsb, width); }
  constexpr bool is_set(std::uint64_t word) const { return (word & mask()) != 0; }
  /// `word` with this field replaced.
  constexpr std::uint64_t set(std::uint64_t word, std::uint64_t value) const {
    return base::with_bits(word, lsb, width, value);
  }
  /// A word with this field alone.
  constexpr std::uint64_t of(std::uint64_t value) const { return set(0, value); }
};

}  // namespace iommusim::spec
