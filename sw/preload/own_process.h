// SPDX-License-Identifier: Apache-2.0
// This process, for the stack: a real address space, real descriptors. User addresses are the program's own; whatever
// stands behind them, a copy answers EFAULT and does not fault.
#pragma once

#include "hal/file.h"
#include "preload/accounts.h"
#include "preload/user_pages.h"

namespace iommusim::preload {

/// Copies within or between processes (`pid`). 0 or EFAULT.
int copy_from_process(int pid, void* to, std::uint64_t from_va, std::size_t bytes);
int copy_to_process(int pid, std::uint64_t to_va, const void* from, std::size_t bytes);

class OwnProcess final : public hal::Process {
 public:
  OwnProcess(RamFile& ram, UserPages& pages, hal::Files& files);

  int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) override;
  int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) override;
  int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override { pages_.unpin(&spa, 1); }
  int pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                std::uint64_t& pinned) override {
    return pages_.pin(space_, user_va, count, write, spas, pinned);
  }
  void unpin_pages(const std::uint64_t* spas, std::uint64_t count) override { pages_.unpin(spas, count); }
  int pins_of_page(std::uint64_t user_va, std::uint64_t& pins) override {
    return pages_.pins_of(space_, user_va, pins);
  }
  int charge_locked(std::uint64_t pages, hal::LockedAccount account) override {
    return charge(account_, pid_, pages, account);
  }
  void uncharge_locked(std::uint64_t pages, hal::LockedAccount account) override { uncharge(account_, pages, account); }
  bool capable(hal::ProcessCapability capability) const override { return has_capability(0, capability); }
  const void* user_identity() const override { return &pages_; }  // one user in the machine
  hal::Files* files() override { return &files_; }

  const MmAccount& account() const { return account_; }
  OwnAddressSpace& space() { return space_; }

 private:
  UserPages& pages_;
  hal::Files& files_;
  OwnAddressSpace space_;
  MmAccount account_;
  const int pid_;
};

}  // namespace iommusim::preload
