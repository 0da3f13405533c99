// SPDX-License-Identifier: Apache-2.0
// This very process as a user process of the stack, for programs that run inside a test. User addresses are its own;
// the physical address of a private page is its address, that of a shared page tells file and offset, so two mappings
// of a memfd are one page. A pinned page that the program unmaps is not preserved (`iommusim exec` does that).
#pragma once

#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "hal/file.h"
#include "hal/hardware.h"
#include "hal/process.h"

namespace iommusim::programs {

/// System memory: the pages of the program by the addresses that HostProcess gives them.
class HostMemory final : public hal::Memory {
 public:
  void read(std::uint64_t spa, void* out, std::size_t bytes) override { move(spa, out, bytes, false); }
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override {
    move(spa, const_cast<void*>(in), bytes, true);
  }
  std::uint64_t load64(std::uint64_t spa) override;
  void store64(std::uint64_t spa, std::uint64_t value) override { write(spa, &value, sizeof value); }
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override;
  void barrier() override {}

  /// The page of a file: its physical address, which `at` shows at present.
  std::uint64_t file_page(std::uint64_t device, std::uint64_t inode, std::uint64_t offset, std::uint64_t at);
  void pin(std::uint64_t spa);
  void unpin(std::uint64_t spa);
  std::uint64_t pins(std::uint64_t spa);
  std::uint64_t pinned_pages();

 private:
  void move(std::uint64_t spa, void* buffer, std::size_t bytes, bool write);

  std::mutex lock_;                                                         // guards everything below
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> files_;  // device and inode -> number
  std::unordered_map<std::uint64_t, std::uint64_t> where_;                  // page of a file -> address in the process
  std::unordered_map<std::uint64_t, std::uint64_t> pins_;                   // by page
};

class HostProcess final : public hal::Process {
 public:
  HostProcess(HostMemory& memory, hal::Files& files) : memory_(memory), files_(files) {}

  int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) override;
  int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) override;
  int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override { memory_.unpin(spa); }
  int pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                std::uint64_t& pinned) override;
  int pins_of_page(std::uint64_t user_va, std::uint64_t& pins) override;
  int charge_locked(std::uint64_t, hal::LockedAccount) override { return 0; }
  void uncharge_locked(std::uint64_t, hal::LockedAccount) override {}
  bool capable(hal::ProcessCapability) const override { return true; }
  hal::Files* files() override { return &files_; }

 private:
  HostMemory& memory_;
  hal::Files& files_;
};

/// A memfd of the program. Others can be looked at, too, but not pinned.
class HostMemoryFile final : public hal::MemoryFile {
 public:
  /// Takes over `fd`.
  HostMemoryFile(HostMemory& memory, int fd) : memory_(memory), fd_(fd) {}
  ~HostMemoryFile() override;
  int pin_page(std::uint64_t offset, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override { memory_.unpin(spa); }

 private:
  HostMemory& memory_;
  const int fd_;
  std::mutex lock_;
  std::map<std::uint64_t, void*> windows_;  // of 2 MiB, by offset
};

}  // namespace iommusim::programs
