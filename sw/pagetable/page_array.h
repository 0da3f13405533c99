// SPDX-License-Identifier: Apache-2.0
// The pages behind one mapping request: which memory, and which of its pages are pinned at present. Several areas may
// show the same array (IOAS_COPY), in one address space or in several; the array lives as long as one of them does.
// Invariant: a page is pinned exactly while its user count is not zero, and charged exactly while pinned. See
// page_array.cpp for why it is built so.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "hal/os.h"
#include "pagetable/dma_window.h"
#include "pagetable/interval.h"
#include "pagetable/page_chunk.h"
#include "pagetable/page_source.h"

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
  PageArray(hal::Os& os, hal::Process& process, std::uint64_t user_va, std::uint64_t bytes, bool writable,
            hal::LockedAccount account = hal::LockedAccount::kUser);
  /// The same of a memory file, from byte `start` on.
  PageArray(hal::Os& os, hal::Process& payer, std::shared_ptr<hal::MemoryFile> file, std::uint64_t start,
            std::uint64_t bytes, bool writable, hal::LockedAccount account);
  /// Device memory, which is neither pinned nor charged.
  PageArray(hal::Os& os, hal::Process& payer, std::unique_ptr<DmaWindow> window, std::uint64_t bytes, bool writable);
  ~PageArray();
  PageArray(const PageArray&) = delete;
  PageArray& operator=(const PageArray&) = delete;

  bool writable() const { return writable_; }
  /// Bytes of the array count from the start of its first page. The user address, or byte of the file.
  std::uint64_t address_of(std::uint64_t byte) const { return source_.base() + byte; }
  /// Null: not a dma-buf.
  DmaWindow* window() const { return window_.get(); }
  bool is_memory_file() const { return source_.is_file(); }

  /// Guards the pins. The _locked functions want it held. The first call may throw std::bad_alloc.
  hal::Mutex& mutex() { return *store().mutex; }

  /// One more user for each page of [first, last]; pins and charges those that had none. All or nothing. 0, EFAULT,
  /// EINVAL (files), ENOMEM.
  int acquire_locked(std::uint64_t first, std::uint64_t last);
  /// Undoes an acquire. Unpins pages without a user, then gives back their charge. Cannot fail, allocates nothing.
  void release_locked(std::uint64_t first, std::uint64_t last) noexcept;

  /// The longest contiguous stretch from `byte` on, at most `limit` bytes, over pages that the caller acquired.
  Run run_locked(std::uint64_t byte, std::uint64_t limit) const;

  /// Pages below and from `page` on may be released apart although they were acquired together. May throw
  /// std::bad_alloc.
  void prepare_cut_locked(std::uint64_t page);

  // For change_payer(), which keeps others from acquiring meanwhile.
  const PageSource& source() const { return source_; }
  std::uint64_t pinned_pages();
  /// `charged` pages were charged to `payer` for this array; the old payer gets its charge back.
  void set_payer(hal::Process& payer, std::uint64_t charged);

 private:
  using Chunks = std::map<std::uint64_t, PageChunk>;
  struct Store {
    std::unique_ptr<hal::Mutex> mutex;
    Chunks chunks;             // by page number / PageChunk::kPages; only chunks in use
    std::uint64_t pinned = 0;  // pages
  };

  Store& store();
  Store& known_store() const;
  int acquire_chunk(Store& store, std::uint64_t first, std::uint64_t last);

  hal::Os& os_;
  PageSource source_;
  const std::uint64_t page_count_;
  std::unique_ptr<DmaWindow> window_;
  std::atomic<Store*> store_{nullptr};  // made when first needed: a mapping that nobody shows is small
  const bool writable_;
};

}  // namespace iommusim::pagetable
