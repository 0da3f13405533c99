// SPDX-License-Identifier: Apache-2.0
// Page tables (spec/page_tables.h) in a SparseMemory. Guest-physical memory is the system-physical memory kGuestOffset
// higher (less in Sv32x4, which reaches 34 bits).
#pragma once

#include "sparse_memory.h"
#include "spec/page_tables.h"

namespace iommusim::translate::test {

inline constexpr std::uint64_t kGuestOffset = 1ULL << 44;
namespace flags {
inline constexpr std::uint64_t kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128;
inline constexpr std::uint64_t kAll = kV | kR | kW | kX | kU | kA | kD;  ///< everything permitted, A and D set
}  // namespace flags

using spec::Frames;

class AddressSpace : public spec::PageTables<SparseMemory> {
 public:
  AddressSpace(SparseMemory& memory, Frames& frames, Frames& guest_frames, unsigned first_mode, unsigned second_mode,
               unsigned second_leaf_level = 0, bool rv32 = false)
      : PageTables(memory, frames, guest_frames, rv32 ? 1ULL << 33 : kGuestOffset, first_mode, second_mode,
                   second_leaf_level, rv32) {}

  /// Another first stage under the same second stage.
  AddressSpace sibling(unsigned first_mode, bool sxl) const {
    AddressSpace result = *this;
    result.begin_first_stage(first_mode, sxl);
    return result;
  }
};

}  // namespace iommusim::translate::test
