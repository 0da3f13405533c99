// SPDX-License-Identifier: Apache-2.0
// A page table in memory: Sv39, Sv48 or Sv57 for a first stage (RISC-V Privileged, "Sv39" and following), or the same
// with a root of 16 KiB for a second stage. Writes memory only; what hardware has cached is the caller's affair. Calls
// on disjoint ranges may run in parallel: shared tables are added by compare-and-swap, and a table is taken away only
// by an unmap of all addresses below it.
#pragma once

#include <vector>

#include "domain/domain.h"
#include "drivers/riscv/ports.h"

namespace iommusim::drivers::riscv {

class PageTable {
 public:
  struct Shape {
    unsigned levels = 3;  ///< 3, 4, 5 for Sv39, Sv48, Sv57
    std::uint64_t page_sizes = 1ULL << 12;
    bool execute = true;
    bool free_tables = true;      ///< unmap takes away tables that lost all their leaves
    unsigned root_bits = 9;       ///< of the address, that the root is indexed by: 11 for a second stage
    bool hardware_dirty = false;  ///< D of a leaf is hardware's to set
    bool whole_spans = false;     ///< with such a table all that was below it is gathered, not only its leaves
  };

  PageTable(hal::Memory& memory, hal::FrameAllocator& frames, const Shape& shape);
  /// Frees all tables.
  ~PageTable();
  PageTable(const PageTable&) = delete;
  PageTable& operator=(const PageTable&) = delete;

  /// Physical address of the root; 0: there was no memory for it.
  std::uint64_t root() const { return root_; }

  /// Maps from `iova` on; `done` counts the bytes mapped so far and the call continues behind them. Sizes and alignment
  /// are the caller's to check. 0, ENOMEM, EEXIST. When a large leaf must take the place of an empty table, that table
  /// is unlinked into `replaced` and the call returns EAGAIN: invalidate, free it, call again.
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot, std::uint64_t& done,
          std::vector<std::uint64_t>& replaced);
  /// Clears the leaves that touch [iova, last], large ones whole; what was cleared and unlinked goes to `gather`.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t last, domain::Gather& gather);
  bool walk(std::uint64_t iova, std::uint64_t& spa_out) const;
  /// Tells `sink`, unless it is null, of the leaves that touch [iova, last] and were written; without hardware_dirty of
  /// all writable ones. `clear` forgets it; `gather` collects where D was cleared. Not while the range is unmapped.
  void read_dirty(std::uint64_t iova, std::uint64_t last, bool clear, domain::DirtySink* sink, domain::Gather& gather);

 private:
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };
  struct DirtyRead {
    Range range;
    bool clear;
    domain::DirtySink* sink;
    domain::Gather& gather;
  };
  unsigned entries_of(unsigned level) const;
  std::uint64_t index_at(std::uint64_t iova, unsigned level) const;
  /// Indices of a table that touch the range.
  Range indices(unsigned level, std::uint64_t base, Range range) const;
  void read_dirty(std::uint64_t table, unsigned level, std::uint64_t base, const DirtyRead& read);
  void read_dirty_leaf(std::uint64_t slot, std::uint64_t start, std::uint64_t bytes, const DirtyRead& read);
  unsigned level_for(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes) const;
  int table_at(std::uint64_t iova, unsigned level, std::uint64_t& table);
  bool unlink_if_empty(std::uint64_t slot, unsigned level, std::vector<std::uint64_t>& unlinked);
  std::uint64_t clear(std::uint64_t table, unsigned level, std::uint64_t base, Range range, domain::Gather& gather);
  std::uint64_t clear_entry(std::uint64_t slot, unsigned level, std::uint64_t start, Range range,
                            domain::Gather& gather);
  /// Bytes mapped below `table`; their hull goes to `gather`, the tables to its list.
  std::uint64_t collect(std::uint64_t table, unsigned level, std::uint64_t base, domain::Gather& gather) const;
  void free_below(std::uint64_t table, unsigned level);

  hal::Memory& memory_;
  hal::FrameAllocator& frames_;
  const Shape shape_;
  std::uint64_t root_;
};

}  // namespace iommusim::drivers::riscv
