// SPDX-License-Identifier: Apache-2.0
// The geometry of the paged modes (RISC-V Privileged, "Sv32" to "Sv57" and their x4 forms) and the ranges of addresses
// they accept. A mode with 0 levels is Bare.
#pragma once

#include <cstdint>

#include "base/bits.h"
#include "base/types.h"
#include "spec/formats.h"

namespace iommusim::spec {

struct PagingMode {
  std::uint8_t levels = 0;
  std::uint8_t index_bits = 9;
  std::uint8_t root_extra_bits = 0;  ///< x4 modes: the root table is indexed by two bits more
  std::uint8_t pte_bytes = 8;
  std::uint8_t address_bits = 64;

  constexpr bool bare() const { return levels == 0; }
  /// Lowest address bit that an entry of this level translates with.
  constexpr unsigned shift(unsigned level) const { return base::kPageShift + index_bits * level; }
  /// Byte offset of the entry for `address` in its table.
  constexpr std::uint64_t entry_offset(unsigned level, std::uint64_t address) const {
    const unsigned width = index_bits + (level + 1U == levels ? root_extra_bits : 0U);
    return base::bits(address, shift(level), width) * pte_bytes;
  }
};

inline constexpr PagingMode kSv32{2, 10, 0, 4, 32};
inline constexpr PagingMode kSv39{3, 9, 0, 8, 39};
inline constexpr PagingMode kSv48{4, 9, 0, 8, 48};
inline constexpr PagingMode kSv57{5, 9, 0, 8, 57};
inline constexpr PagingMode kSv32x4{2, 10, 2, 4, 34};
inline constexpr PagingMode kSv39x4{3, 9, 2, 8, 41};
inline constexpr PagingMode kSv48x4{4, 9, 2, 8, 50};
inline constexpr PagingMode kSv57x4{5, 9, 2, 8, 59};

/// IOMMU 2.1.3.4, tables of iosatp.MODE. The mode must be a valid encoding (spec/context_checks.h).
constexpr PagingMode first_stage_paging(unsigned mode, bool sxl) {
  switch (mode) {
    case iosatp_mode::kSv39:
      return sxl ? kSv32 : kSv39;
    case iosatp_mode::kSv48:
      return kSv48;
    case iosatp_mode::kSv57:
      return kSv57;
    default:
      return {};
  }
}

/// IOMMU 2.1.3.2, tables of iohgatp.MODE.
constexpr PagingMode second_stage_paging(unsigned mode, bool gxl) {
  switch (mode) {
    case iohgatp_mode::kSv39x4:
      return gxl ? kSv32x4 : kSv39x4;
    case iohgatp_mode::kSv48x4:
      return kSv48x4;
    case iohgatp_mode::kSv57x4:
      return kSv57x4;
    default:
      return {};
  }
}

/// Privileged, "Sv39": the bits above the virtual address all equal its top bit. IOMMU 2.1.3.1 for Sv32: they are 0.
constexpr bool first_stage_accepts(const PagingMode& mode, std::uint64_t iova) {
  if (mode.address_bits == 32) return iova >> 32 == 0;
  const std::uint64_t upper = iova >> (mode.address_bits - 1U);
  return upper == 0 || upper == base::mask_of(65U - mode.address_bits);
}

/// Privileged, "Sv39x4": the bits above the guest-physical address are 0.
constexpr bool second_stage_accepts(const PagingMode& mode, std::uint64_t gpa) { return gpa >> mode.address_bits == 0; }

}  // namespace iommusim::spec
