// SPDX-License-Identifier: Apache-2.0
// Choices of the RISC-V IOMMU driver. The defaults are those of the Linux driver of about 6.19.
#pragma once

#include <cstdint>

namespace iommusim::drivers::riscv {

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

  bool frees_tables() const { return free_tables_on_unmap && flush_all_threshold_bytes != 0; }
};

}  // namespace iommusim::drivers::riscv
