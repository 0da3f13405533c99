// SPDX-License-Identifier: Apache-2.0
// What the kernel says about the address space of a process: one question about one address, or the whole list. Uses
// the query of /proc/PID/maps where the kernel has it (6.11), else reads the text.
#pragma once

#include <cstdint>
#include <functional>

namespace iommusim::preload {

struct Vma {
  std::uint64_t start = 0;
  std::uint64_t end = 0;  ///< exclusive
  int prot = 0;           ///< PROT_*
  bool shared = false;
  std::uint64_t offset = 0;  ///< in the file
  std::uint64_t device = 0;  ///< as st_dev; 0 with inode 0: anonymous
  std::uint64_t inode = 0;
  std::uint64_t page_bytes = 4096;  ///< of huge pages: their size
};

/// The list of one process, opened once. A fork makes the one of "self" invalid: open it again.
class VmaReader {
 public:
  /// `pid` 0: the calling process.
  explicit VmaReader(int pid = 0);
  ~VmaReader();
  VmaReader(const VmaReader&) = delete;
  VmaReader& operator=(const VmaReader&) = delete;

  /// The mapping that contains `address`. False: none.
  bool find(std::uint64_t address, Vma& out);
  /// All of them, ascending. Not a snapshot: mappings may change meanwhile.
  void for_each(const std::function<void(const Vma&)>& visit);

 private:
  bool find_in_text(std::uint64_t address, Vma& out);

  int fd_ = -1;
  bool has_query_ = true;
};

}  // namespace iommusim::preload
