// SPDX-License-Identifier: Apache-2.0
// Where the pages of an array come from: the address space of the process that mapped them, or a memory file. And who
// pays for them: at first that process, by the account that was in force then (R3.10).
#pragma once

#include <cstdint>
#include <memory>

#include "hal/file.h"
#include "hal/process.h"

namespace iommusim::pagetable {

class PageSource {
 public:
  /// Pages of `owner` from `base` (page aligned) on; `owner` outlives all that uses them.
  PageSource(hal::Process& owner, hal::LockedAccount account, std::uint64_t base)
      : payer_(&owner), base_(base), account_(account) {}
  /// Pages of a file from byte `base` (page aligned) on.
  PageSource(hal::Process& payer, hal::LockedAccount account, std::shared_ptr<hal::MemoryFile> file, std::uint64_t base)
      : payer_(&payer), file_(std::move(file)), base_(base), account_(account) {}

  std::uint64_t base() const { return base_; }
  bool is_file() const { return file_ != nullptr; }

  /// As Process::pin_pages(), of pages that count from `base`. `pinned` is right even when this throws.
  int pin(std::uint64_t first, std::uint64_t count, bool write, std::uint64_t* spas, std::uint64_t& pinned) {
    return file_ ? file_->pin_pages(base_ + first * 4096, count, write, spas, pinned)
                 : payer_->pin_pages(base_ + first * 4096, count, write, spas, pinned);
  }
  void unpin(const std::uint64_t* spas, std::uint64_t count) {
    if (file_)
      file_->unpin_pages(spas, count);
    else
      payer_->unpin_pages(spas, count);
  }

  int charge(std::uint64_t pages) { return payer_->charge_locked(pages, account_); }
  void uncharge(std::uint64_t pages) { payer_->uncharge_locked(pages, account_); }

  hal::LockedAccount account() const { return account_; }
  hal::Process& payer() const { return *payer_; }
  /// For files only: the payer has nothing to do with where the pages come from.
  void set_payer(hal::Process& payer) { payer_ = &payer; }

 private:
  hal::Process* payer_;
  std::shared_ptr<hal::MemoryFile> file_;
  std::uint64_t base_;
  hal::LockedAccount account_;
};

}  // namespace iommusim::pagetable
