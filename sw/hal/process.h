// SPDX-License-Identifier: Apache-2.0
// A user process as the kernel part of the stack sees it: its memory can be copied from and to, its pages pinned, its
// locked-memory limit asked. User addresses are numbers of that process's own space, not pointers of the host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::hal {

class Files;

class Process {
 public:
  virtual ~Process() = default;
  /// 0, or EFAULT when some byte is not readable (writable).
  virtual int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) = 0;
  virtual int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) = 0;
  /// Makes the 4 KiB page at `user_va` (page aligned) resident for a long time and tells its physical address.
  /// 0 or EFAULT (no mapping, or `write` on a read-only one). Undone by unpin_page(). Thread-safe.
  virtual int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) = 0;
  virtual void unpin_page(std::uint64_t spa) = 0;
  /// Charges `pages` to the locked-memory account; 0 or ENOMEM over the limit. `uncharge` gives back.
  virtual int charge_locked(std::uint64_t pages) = 0;
  virtual void uncharge_locked(std::uint64_t pages) = 0;
  /// Its file descriptors; nullptr: it has none, and calls that need them answer ENOMEM or EBADF.
  virtual Files* files() { return nullptr; }
};

}  // namespace iommusim::hal
