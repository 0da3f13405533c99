// SPDX-License-Identifier: Apache-2.0
// A user process as the kernel part of the stack sees it: its memory can be copied from and to, its pages pinned, its
// locked-memory limit asked, its file descriptors looked up. User addresses are numbers of that process's own space,
// not pointers of the host.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace iommusim::hal {

class Files;

/// Who pays for pinned pages: nobody, the user that owns the process, or its address space. Each is counted as pinned
/// by the address space, too.
enum class LockedAccount : std::uint8_t { kNone, kUser, kMm };

enum class ProcessCapability : std::uint8_t { kIpcLock, kSysResource };

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
  /// pin_page() for `count` pages from the low end, up to the first that fails; `pinned` of them stay pinned even then.
  virtual int pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                        std::uint64_t& pinned) {
    for (pinned = 0; pinned < count; ++pinned)
      if (const int error = pin_page(user_va + pinned * 4096, write, spas[pinned])) return error;
    return 0;
  }
  virtual void unpin_pages(const std::uint64_t* spas, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) unpin_page(spas[i]);
  }
  /// How many pins the page at `user_va` has at present: 0 or EFAULT.
  virtual int pins_of_page(std::uint64_t /*user_va*/, std::uint64_t& /*pins*/) { return EFAULT; }

  /// Charges `pages` to the account; 0 or ENOMEM over the limit (kNone has none). `uncharge` gives back.
  virtual int charge_locked(std::uint64_t pages, LockedAccount account) = 0;
  virtual void uncharge_locked(std::uint64_t pages, LockedAccount account) = 0;
  virtual bool capable(ProcessCapability /*capability*/) const { return false; }
  /// Equal for processes whose kUser (kMm) account is the same.
  virtual const void* user_identity() const { return this; }
  virtual const void* mm_identity() const { return this; }
  /// Its file descriptors; nullptr: it has none, and calls that need them answer ENOMEM or EBADF.
  virtual Files* files() { return nullptr; }
};

}  // namespace iommusim::hal
