// SPDX-License-Identifier: Apache-2.0
// Writes page tables of both stages into a memory, for any combination of modes: for tests, and for systems that begin
// with tables instead of a driver. Guest-physical memory is the system-physical memory `guest_offset` higher: whatever
// the builder puts there is mapped by the second stage on the way, with leaves of the level asked for at the start.
// `Memory` has load(address), store(address, word) and the same with 32 bits, load32() and store32().
#pragma once

#include "spec/pte.h"

namespace iommusim::spec {

/// V, R, W, X, U, A and D of a leaf: everything permitted, nothing left to update.
inline constexpr std::uint64_t kOpenLeaf = pte::kV.mask() | pte::kR.mask() | pte::kW.mask() | pte::kX.mask() |
                                           pte::kU.mask() | pte::kA.mask() | pte::kD.mask();

/// Gives out page frames, each once.
class Frames {
 public:
  explicit Frames(std::uint64_t first) : next_(first) {}
  std::uint64_t take(std::uint64_t bytes = base::kPageSize) {
    next_ = base::align_up(next_, bytes);
    return (next_ += bytes) - bytes;
  }
  std::uint64_t next() const { return next_; }

 private:
  std::uint64_t next_;
};

/// Page tables of one device or process. Modes are the encodings of iosatp and iohgatp (0: Bare).
template <class Memory>
class PageTables {
 public:
  PageTables(Memory& memory, Frames& frames, Frames& guest_frames, std::uint64_t guest_offset, unsigned first_mode,
             unsigned second_mode, unsigned second_leaf_level = 0, bool rv32 = false)
      : first(first_stage_paging(first_mode, rv32)),
        second(second_stage_paging(second_mode, rv32)),
        memory_(memory),
        frames_(frames),
        guest_frames_(guest_frames),
        guest_offset_(guest_offset),
        first_mode_(first_mode),
        second_mode_(second_mode),
        second_leaf_level_(second_leaf_level) {
    if (!second.bare()) second_root = frames_.take(4 * base::kPageSize);
    if (!first.bare()) first_root = take_table();
  }

  /// Another, empty first stage under the same second stage.
  void begin_first_stage(unsigned first_mode, bool sxl) {
    first = first_stage_paging(first_mode, sxl);
    first_mode_ = first_mode;
    first_root = first.bare() ? 0 : take_table();
  }

  /// Maps one first-stage leaf, and its target in the second stage. Without a first stage `iova` must equal `gpa`.
  void map(std::uint64_t iova, std::uint64_t gpa, unsigned level = 0, std::uint64_t pte_flags = kOpenLeaf) {
    map_first(iova, gpa, level, pte_flags);
    if (!second.bare()) map_guest(gpa);
  }
  /// Maps one first-stage leaf, if there is a first stage.
  void map_first(std::uint64_t iova, std::uint64_t gpa, unsigned level, std::uint64_t pte_flags = kOpenLeaf) {
    if (!first.bare()) write_pte(first, first_entry(iova, level), pte_of(gpa) | pte_flags);
  }
  /// Maps one second-stage leaf to any frame.
  void map_second(std::uint64_t gpa, std::uint64_t spa, unsigned level, std::uint64_t pte_flags = kOpenLeaf) {
    write_pte(second, second_entry(gpa, level), pte_of(spa) | pte_flags);
  }
  /// Makes this guest page what lies guest_offset() higher.
  void map_guest(std::uint64_t gpa) {
    const std::uint64_t page = base::align_down(gpa, 1ULL << second.shift(second_leaf_level_));
    if (!pte::kV.is_set(read_pte(second, second_entry(page, second_leaf_level_))))
      map_second(page, page + guest_offset_, second_leaf_level_);
  }
  unsigned second_leaf_level() const { return second_leaf_level_; }
  std::uint64_t guest_offset() const { return guest_offset_; }
  /// A frame for a table that lies where the first stage's tables lie: in guest memory, if there is a second stage.
  std::uint64_t take_table() {
    if (second.bare()) return frames_.take();
    const std::uint64_t table = guest_frames_.take();
    map_guest(table);
    return table;
  }
  /// Where the system sees the address of such a table.
  std::uint64_t spa_of_table(std::uint64_t address) const { return second.bare() ? address : address + guest_offset_; }

  /// System-physical address of the entry of this level; tables above it are made when missing.
  std::uint64_t first_entry(std::uint64_t iova, unsigned level) {
    std::uint64_t table = first_root;
    for (unsigned i = first.levels - 1U; i > level; --i) {
      const std::uint64_t entry = spa_of_table(table) + first.entry_offset(i, iova);
      if (!pte::kV.is_set(read_pte(first, entry))) write_pte(first, entry, pte_of(take_table()) | pte::kV.mask());
      table = next_table(read_pte(first, entry));
    }
    return spa_of_table(table) + first.entry_offset(level, iova);
  }
  /// Guest-physical address of that entry.
  std::uint64_t first_entry_gpa(std::uint64_t iova, unsigned level) { return first_entry(iova, level) - guest_offset_; }
  std::uint64_t second_entry(std::uint64_t gpa, unsigned level) {
    std::uint64_t table = second_root;
    for (unsigned i = second.levels - 1U; i > level; --i) {
      const std::uint64_t entry = table + second.entry_offset(i, gpa);
      if (!pte::kV.is_set(read_pte(second, entry))) write_pte(second, entry, pte_of(frames_.take()) | pte::kV.mask());
      table = next_table(read_pte(second, entry));
    }
    return table + second.entry_offset(level, gpa);
  }

  std::uint64_t fsc() const { return dc_fsc::kMode.of(first_mode_) | first_root >> base::kPageShift; }
  std::uint64_t iohgatp(unsigned gscid) const {
    return dc_iohgatp::kMode.of(second_mode_) | dc_iohgatp::kGscid.of(gscid) | second_root >> base::kPageShift;
  }

  std::uint64_t read_pte(const PagingMode& mode, std::uint64_t address) const {
    return mode.pte_bytes == 4 ? memory_.load32(address) : memory_.load(address);
  }
  void write_pte(const PagingMode& mode, std::uint64_t address, std::uint64_t word) {
    if (mode.pte_bytes == 4) return memory_.store32(address, static_cast<std::uint32_t>(word));
    memory_.store(address, word);
  }

  PagingMode first;
  PagingMode second;
  std::uint64_t first_root = 0;  ///< a GPA under a second stage
  std::uint64_t second_root = 0;

 private:
  static std::uint64_t pte_of(std::uint64_t address) { return pte::kPpn.of(address >> base::kPageShift); }

  Memory& memory_;
  Frames& frames_;
  Frames& guest_frames_;
  std::uint64_t guest_offset_;
  unsigned first_mode_;
  unsigned second_mode_;
  unsigned second_leaf_level_;
};

}  // namespace iommusim::spec
