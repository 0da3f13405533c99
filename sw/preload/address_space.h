// SPDX-License-Identifier: Apache-2.0
// An address space that pages are pinned in, and the one of this process. Pinning moves private pages into the
// machine's memory and shows them at the same address from there, so that program and devices see the same bytes;
// shared pages stay where they are, and the machine's window shows them, too.
#pragma once

#include <cstdint>
#include <memory>

#include "preload/ram_file.h"
#include "preload/vma.h"

namespace iommusim::preload {

/// Errors are positive. Ranges are whole pages inside one mapping.
class AddressSpace {
 public:
  virtual ~AddressSpace() = default;
  virtual bool find(std::uint64_t va, Vma& out) = 0;
  /// Faults the pages in. 0, EFAULT.
  virtual int populate(std::uint64_t va, std::uint64_t bytes, bool write) = 0;
  /// Copies private pages to `spa` of the file and maps them from there, in one step as far as other threads see. 0, or
  /// nothing changed: EFAULT, ENOMEM.
  virtual int adopt(std::uint64_t va, std::uint64_t bytes, int prot, std::uint64_t spa) = 0;
  /// Lets the window at `spa` show the shared pages of `vma`. 0, EFAULT.
  virtual int share(const Vma& vma, std::uint64_t va, std::uint64_t bytes, std::uint64_t spa) = 0;
  /// All mappings, as VmaReader::for_each().
  virtual void for_each(const std::function<void(const Vma&)>& visit) = 0;
};

class OwnAddressSpace final : public AddressSpace {
 public:
  explicit OwnAddressSpace(RamFile& ram) : ram_(ram) {}
  bool find(std::uint64_t va, Vma& out) override { return reader_.find(va, out); }
  int populate(std::uint64_t va, std::uint64_t bytes, bool write) override;
  int adopt(std::uint64_t va, std::uint64_t bytes, int prot, std::uint64_t spa) override;
  int share(const Vma& vma, std::uint64_t va, std::uint64_t bytes, std::uint64_t spa) override;
  void for_each(const std::function<void(const Vma&)>& visit) override { reader_.for_each(visit); }

  /// For a handler of SIGSEGV: the page is being moved, or was until a moment ago. Waits, then true: try again.
  bool wait_for_move(void* address);

 private:
  RamFile& ram_;
  VmaReader reader_;
};

/// From now on other threads may write to a page while it is moved.
void program_has_threads();

/// In a child right after fork: pages that it shares with its parent through the memory file become its own.
void make_private_copies(const RamFile& ram);

}  // namespace iommusim::preload
