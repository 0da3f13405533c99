// SPDX-License-Identifier: Apache-2.0
// System memory of the machine: a memory file, sparse, that the library maps as a whole (the window), and page by page
// into the program where its pages are pinned. So program, devices and kernel see the same bytes, and what the program
// unmaps stays for the others. A page of the window may also show a page of one of the program's own files instead; if
// that file is made shorter, the window shows an empty page there, and nothing faults.
#pragma once

#include <atomic>

#include "hal/hardware.h"
#include "preload/machine.h"

namespace iommusim::preload {

class RamFile final : public hal::Memory {
 public:
  static constexpr std::uint64_t kUserStart = 1ULL << 32;
  static constexpr std::uint64_t kBytes = 1ULL << 37;

  /// Throws std::runtime_error when the host has no room.
  RamFile();
  ~RamFile() override;
  RamFile(const RamFile&) = delete;
  RamFile& operator=(const RamFile&) = delete;

  const Ram& ram() const { return ram_; }
  int fd() const { return fd_; }
  /// Is this what the kernel says of a mapping of the file?
  bool is_ours(std::uint64_t device, std::uint64_t inode) const { return device == device_ && inode == inode_; }

  /// The window shows the file itself again in this range. False: the host has no memory for it.
  bool reset(std::uint64_t spa, std::uint64_t bytes);
  /// Gives the memory of the range back to the host; it reads as zero.
  void discard(std::uint64_t spa, std::uint64_t bytes);
  /// For a handler of SIGBUS and SIGSEGV: repairs the page of the window at `address`. False: not in the window.
  bool repair(void* address);

  void read(std::uint64_t spa, void* out, std::size_t bytes) override;
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override;
  std::uint64_t load64(std::uint64_t spa) override;
  void store64(std::uint64_t spa, std::uint64_t value) override;
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override;
  void barrier() override { std::atomic_thread_fence(std::memory_order_seq_cst); }

 private:
  unsigned char* at(std::uint64_t spa, std::size_t bytes) const;

  Ram ram_;
  int fd_ = -1;
  std::uint64_t device_ = 0, inode_ = 0;
};

}  // namespace iommusim::preload
