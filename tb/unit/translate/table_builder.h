// SPDX-License-Identifier: Apache-2.0
// Builds device directories and page tables in a SparseMemory for any combination of modes. Guest-physical memory is
// the system-physical memory kGuestOffset higher (less in Sv32x4, which reaches 34 bits): whatever the builder puts
// there is mapped by the second stage on the way, with leaves of the level that the address space asks for.
#pragma once

#include "sparse_memory.h"
#include "spec/pte.h"

namespace iommusim::translate::test {

inline constexpr std::uint64_t kGuestOffset = 1ULL << 44;
namespace flags {
inline constexpr std::uint64_t kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128;
inline constexpr std::uint64_t kAll = kV | kR | kW | kX | kU | kA | kD;  ///< everything permitted, A and D set
}  // namespace flags

/// Gives out page frames, each once.
class Frames {
 public:
  explicit Frames(std::uint64_t first) : next_(first) {}
  std::uint64_t take(std::uint64_t bytes = 4096) {
    next_ = base::align_up(next_, bytes);
    return (next_ += bytes) - bytes;
  }

 private:
  std::uint64_t next_;
};

/// Page tables of one device or process. Modes are the encodings of iosatp and iohgatp (0: Bare).
class AddressSpace {
 public:
  AddressSpace(SparseMemory& memory, Frames& frames, Frames& guest_frames, unsigned first_mode, unsigned second_mode,
               unsigned second_leaf_level = 0, bool rv32 = false)
      : first(spec::first_stage_paging(first_mode, rv32)),
        second(spec::second_stage_paging(second_mode, rv32)),
        memory_(memory),
        frames_(frames),
        guest_frames_(guest_frames),
        first_mode_(first_mode),
        second_mode_(second_mode),
        second_leaf_level_(second_leaf_level) {
    if (!second.bare()) second_root = frames_.take(16384);
    if (!first.bare()) first_root = take_first_stage_table();
  }

  /// Another first stage under the same second stage.
  AddressSpace sibling(unsigned first_mode, bool sxl) const {
    AddressSpace result = *this;
    result.first = spec::first_stage_paging(first_mode, sxl);
    result.first_mode_ = first_mode;
    result.first_root = result.first.bare() ? 0 : result.take_first_stage_table();
    return result;
  }

  /// Maps one first-stage leaf, and its target in the second stage. Without a first stage `iova` must equal `gpa`.
  void map(std::uint64_t iova, std::uint64_t gpa, unsigned level = 0, std::uint64_t pte_flags = flags::kAll) {
    if (!first.bare()) write_pte(first, first_entry(iova, level), gpa >> 2 | pte_flags);
    if (!second.bare()) map_guest(gpa);
  }
  /// Maps one second-stage leaf to any frame.
  void map_second(std::uint64_t gpa, std::uint64_t spa, unsigned level, std::uint64_t pte_flags = flags::kAll) {
    write_pte(second, second_entry(gpa, level), spa >> 2 | pte_flags);
  }
  /// Makes this guest page what lies guest_offset() higher.
  void map_guest(std::uint64_t gpa) {
    const std::uint64_t page = base::align_down(gpa, 1ULL << second.shift(second_leaf_level_));
    if (!spec::pte::kV.is_set(read_pte(second, second_entry(page, second_leaf_level_))))
      map_second(page, page + guest_offset(), second_leaf_level_);
  }
  unsigned second_leaf_level() const { return second_leaf_level_; }
  std::uint64_t guest_offset() const { return second.pte_bytes == 4 ? 1ULL << 33 : kGuestOffset; }
  /// Where the system sees a first-stage table address.
  std::uint64_t spa_of_table(std::uint64_t address) const { return second.bare() ? address : address + guest_offset(); }

  /// System-physical address of the entry of this level; tables above it are made when missing.
  std::uint64_t first_entry(std::uint64_t iova, unsigned level) {
    std::uint64_t table = first_root;
    for (unsigned i = first.levels - 1U; i > level; --i) {
      const std::uint64_t entry = spa_of_table(table) + first.entry_offset(i, iova);
      if (!spec::pte::kV.is_set(read_pte(first, entry)))
        write_pte(first, entry, take_first_stage_table() >> 2 | flags::kV);
      table = spec::next_table(read_pte(first, entry));
    }
    return spa_of_table(table) + first.entry_offset(level, iova);
  }
  /// Guest-physical address of that entry.
  std::uint64_t first_entry_gpa(std::uint64_t iova, unsigned level) {
    return first_entry(iova, level) - guest_offset();
  }
  std::uint64_t second_entry(std::uint64_t gpa, unsigned level) {
    std::uint64_t table = second_root;
    for (unsigned i = second.levels - 1U; i > level; --i) {
      const std::uint64_t entry = table + second.entry_offset(i, gpa);
      if (!spec::pte::kV.is_set(read_pte(second, entry))) write_pte(second, entry, frames_.take() >> 2 | flags::kV);
      table = spec::next_table(read_pte(second, entry));
    }
    return table + second.entry_offset(level, gpa);
  }

  std::uint64_t fsc() const { return spec::dc_fsc::kMode.of(first_mode_) | first_root >> 12; }
  std::uint64_t iohgatp(unsigned gscid) const {
    return spec::dc_iohgatp::kMode.of(second_mode_) | spec::dc_iohgatp::kGscid.of(gscid) | second_root >> 12;
  }

  std::uint64_t read_pte(const spec::PagingMode& mode, std::uint64_t address) const {
    return mode.pte_bytes == 4 ? memory_.load32(address) : memory_.load(address);
  }
  void write_pte(const spec::PagingMode& mode, std::uint64_t address, std::uint64_t pte) {
    if (mode.pte_bytes == 4) return memory_.store32(address, static_cast<std::uint32_t>(pte));
    memory_.store(address, pte);
  }

  spec::PagingMode first;
  spec::PagingMode second;
  std::uint64_t first_root = 0;  ///< a GPA under a second stage
  std::uint64_t second_root = 0;

 private:
  std::uint64_t take_first_stage_table() {
    if (second.bare()) return frames_.take();
    const std::uint64_t table = guest_frames_.take();
    map_guest(table);
    return table;
  }

  SparseMemory& memory_;
  Frames& frames_;
  Frames& guest_frames_;
  unsigned first_mode_;
  unsigned second_mode_;
  unsigned second_leaf_level_;
};

}  // namespace iommusim::translate::test
