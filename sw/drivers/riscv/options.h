// SPDX-License-Identifier: Apache-2.0
// Choices of the RISC-V IOMMU driver. The defaults are those of the Linux driver of about 6.19.
#pragma once

#include <cstdint>

namespace iommusim::drivers::riscv {

/// What is known of written pages in a domain that tracks them.
enum class DirtyTracking : std::uint8_t {
  kOff,       ///< not offered
  kHardware,  ///< offered where hardware sets D (capabilities.AMO_HWAD)
  kAlways,    ///< also elsewhere: there every page that may be written counts as written
};

struct RiscvIommuOptions {
  /// An unmap of at least this many bytes invalidates the whole address space instead of page by page. 0: never; page
  /// tables are then kept until their domain goes, since an invalidation by address does not cover non-leaf entries.
  std::uint64_t flush_all_threshold_bytes = 2ULL << 20;
  /// Leaves that may be used, of those that the format has; bit 12 (4 KiB) is always used.
  std::uint64_t page_sizes = ~0ULL;
  /// The widest first stage to use: 39, 48 or 57 (bits of virtual address).
  unsigned max_address_bits = 57;
  unsigned command_queue_log2 = 13;  ///< entries: 8192
  unsigned fault_queue_log2 = 12;    ///< entries: 4096
  unsigned page_queue_log2 = 12;     ///< entries: 4096
  /// Uses ATS and page requests of devices that have them. The Linux driver does not.
  bool ats = false;
  /// Deepest device directory to try, 1 to 3 levels.
  unsigned max_directory_levels = 3;
  /// Messages rather than wires where hardware and platform offer both.
  bool prefer_messages = true;
  /// An unmap that covers the whole span of a page table frees it (after the invalidation).
  bool free_tables_on_unmap = true;
  /// Leaves allow "read for execute".
  bool execute = true;

  // Beyond Linux. None of them changes what is done where the hardware does not have it.
  /// Invalidates naturally aligned ranges by one command each (capabilities.S) instead of page by page, whatever
  /// flush_all_threshold_bytes says.
  bool range_invalidation = false;
  /// When an unmap frees page tables, invalidates the entries that led to them by address (capabilities.NL) instead of
  /// the whole address space.
  bool non_leaf_invalidation = false;
  /// An unmap that would take more commands on an IOMMU invalidates the whole address space there. 0: no limit.
  std::uint64_t command_limit = 0;
  /// Commands of one unmap that are handed over by one move of the tail, its fence among them; at most 64. 1: each on
  /// its own, the fences of several IOMMUs one after the other.
  unsigned command_batch = 1;
  DirtyTracking dirty_tracking = DirtyTracking::kHardware;

  bool frees_tables() const { return free_tables_on_unmap && flush_all_threshold_bytes != 0; }
};

}  // namespace iommusim::drivers::riscv
