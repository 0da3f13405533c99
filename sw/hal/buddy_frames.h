// SPDX-License-Identifier: Apache-2.0
// Page frames of one physical range, by the buddy rule: a block of 2^order frames is aligned to its size, and two free
// halves of a block become the block again. The lowest fitting address is handed out, so runs repeat exactly. Blocks
// are zeroed when handed out. Thread-safe. A wrong free is a contradiction. Frame 0 is never handed out (0 means
// "none").
#pragma once

#include <array>
#include <memory>
#include <set>
#include <unordered_map>

#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::hal {

class BuddyFrames final : public FrameAllocator {
 public:
  static constexpr unsigned kMaxOrder = 18;  // 1 GiB

  /// Manages [start, start + bytes), both multiples of 4 KiB. `memory` is used for zeroing only.
  BuddyFrames(Os& os, Memory& memory, std::uint64_t start, std::uint64_t bytes);

  std::uint64_t alloc(unsigned order) override;
  void free(std::uint64_t spa, unsigned order) override;
  std::uint64_t frames_in_use() const override;

 private:
  struct Block {
    unsigned order = 0;
    std::set<std::uint64_t>::node_type node;  // for the free set again
  };

  /// A block that is not zeroed yet, or 0.
  std::uint64_t take(unsigned order);

  Memory& memory_;
  std::unique_ptr<Mutex> lock_;  // guards everything below
  std::array<std::set<std::uint64_t>, kMaxOrder + 1> free_;
  std::unordered_map<std::uint64_t, Block> allocated_;
  std::uint64_t in_use_ = 0;
};

}  // namespace iommusim::hal
