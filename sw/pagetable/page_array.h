// SPDX-License-Identifier: Apache-2.0
// The pages behind one mapping request: which memory of which process, and which of its pages are pinned at present.
// Several areas may show the same array (IOAS_COPY), in one address space or in several; the array lives as long as one
// of them does. Invariant: a page is pinned exactly while its user count is not zero, and charged exactly while pinned.
// See page_array.cpp for why it is built so.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "hal/os.h"
#include "hal/process.h"
#include "pagetable/interval.h"

namespace iommusim::pagetable {

/// A physically contiguous stretch.
struct Run {
  std::uint64_t spa = 0;
  std::uint64_t bytes = 0;
};

class PageArray {
 public:
  /// Pages [user_va / 4 KiB ...) of `process`, `bytes` long from user_va. The process must outlive the array. Nothing
  /// is pinned or looked at yet. `writable`: the first mapping allowed writes, so pages are pinned for writing.
  PageArray(hal::Os& os, hal::Process& process, std::uint64_t user_va, std::uint64_t bytes, bool writable);
  ~PageArray();
  PageArray(const PageArray&) = delete;
  PageArray& operator=(const PageArray&) = delete;

  bool writable() const { return writable_; }
  /// Bytes of the array count from the start of its first page.
  std::uint64_t user_va_of(std::uint64_t byte) const { return base_va_ + byte; }

  /// Guards the pins. The _locked functions want it held.
  hal::Mutex& mutex() { return *mutex_; }

  /// One more user for each page of [first, last]; pins and charges those that had none. All or nothing. 0, EFAULT,
  /// ENOMEM.
  int acquire_locked(std::uint64_t first, std::uint64_t last);
  /// Undoes an acquire. Unpins pages without a user, then gives back their charge. Cannot fail, allocates nothing.
  void release_locked(std::uint64_t first, std::uint64_t last) noexcept;

  /// The longest contiguous stretch from `byte` on, at most `limit` bytes, over pages that the caller acquired.
  Run run_locked(std::uint64_t byte, std::uint64_t limit) const;

 private:
  struct Page {
    std::uint64_t spa = 0;    // valid while users is not 0
    std::uint32_t users = 0;  // filled areas and access pins that need it
  };
  struct Chunk {
    std::vector<Page> pages;
    std::uint32_t in_use = 0;  // pages with a user
  };
  static constexpr std::uint64_t kChunkPages = 512;

  int acquire_chunk(std::uint64_t first, std::uint64_t last);
  std::map<std::uint64_t, Chunk>::iterator get_chunk(std::uint64_t index);
  const Page& page(std::uint64_t number) const;

  hal::Process& process_;
  const std::uint64_t base_va_;
  const std::uint64_t page_count_;
  const bool writable_;
  std::unique_ptr<hal::Mutex> mutex_;
  std::map<std::uint64_t, Chunk> chunks_;  // by page number / kChunkPages; only chunks in use
};

}  // namespace iommusim::pagetable
