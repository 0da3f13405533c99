// SPDX-License-Identifier: Apache-2.0
// What one page-table entry means, whichever stage it belongs to (RISC-V Privileged, "Virtual Address Translation
// Process", steps 3 to 6; "Svnapot"; "Svpbmt"). Permissions and A/D are judged by the translation, which knows the
// access.
#pragma once

#include "spec/paging.h"

namespace iommusim::spec {

enum class PteKind : std::uint8_t { kBad, kNonLeaf, kLeaf };

/// PTE bits that must be 0 in this implementation and mode, leaf or not.
constexpr std::uint64_t reserved_pte_bits(const PagingMode& mode, bool svpbmt, bool svrsw60t59b) {
  if (mode.pte_bytes == 4) return 0;
  return pte::kReserved | (svpbmt ? 0 : pte::kPbmt.mask()) | (svrsw60t59b ? 0 : pte::kRsw60t59.mask());
}

/// Step 4 onwards for an entry with R = W = X = 0: D, A, U, N and PBMT are reserved in it, and it cannot be the last.
constexpr PteKind classify_non_leaf(std::uint64_t word, unsigned level) {
  constexpr std::uint64_t kReservedInNonLeaf =
      pte::kD.mask() | pte::kA.mask() | pte::kU.mask() | pte::kN.mask() | pte::kPbmt.mask();
  return level == 0 || (word & kReservedInNonLeaf) != 0 ? PteKind::kBad : PteKind::kNonLeaf;
}

/// Step 6 (misaligned superpage), Svnapot (64 KiB at level 0 is the one size defined) and Svpbmt (type 3 is reserved).
constexpr PteKind classify_leaf(const PagingMode& mode, std::uint64_t word, unsigned level) {
  const std::uint64_t ppn = pte::kPpn.get(word);
  if ((ppn & base::mask_of(mode.index_bits * level)) != 0) return PteKind::kBad;
  if (pte::kN.is_set(word) && (level != 0 || base::bits(ppn, 0, 4) != 8)) return PteKind::kBad;
  if (pte::kPbmt.get(word) == 3) return PteKind::kBad;
  return PteKind::kLeaf;
}

/// Step 3 (V = 0, W without R, reserved bits), then by kind. `reserved` as reserved_pte_bits() tells.
constexpr PteKind classify_pte(const PagingMode& mode, std::uint64_t word, unsigned level, std::uint64_t reserved) {
  constexpr std::uint64_t kReadWriteBits = pte::kR.mask() | pte::kW.mask();
  if (!pte::kV.is_set(word) || (word & kReadWriteBits) == pte::kW.mask() || (word & reserved) != 0)
    return PteKind::kBad;
  if ((word & (pte::kR.mask() | pte::kX.mask())) == 0) return classify_non_leaf(word, level);
  return classify_leaf(mode, word, level);
}

constexpr std::uint64_t next_table(std::uint64_t word) { return pte::kPpn.get(word) << base::kPageShift; }

/// log2 of the bytes that a leaf maps.
constexpr std::uint8_t leaf_size_log2(const PagingMode& mode, std::uint64_t word, unsigned level) {
  return static_cast<std::uint8_t>(pte::kN.is_set(word) ? 16 : mode.shift(level));
}

/// First byte of the page that a leaf maps to.
constexpr std::uint64_t leaf_page(const PagingMode& mode, std::uint64_t word, unsigned level) {
  return next_table(word) & ~base::mask_of(leaf_size_log2(mode, word, level));
}

}  // namespace iommusim::spec
