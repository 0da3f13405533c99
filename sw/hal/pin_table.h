// SPDX-License-Identifier: Apache-2.0
// How often each physical page is pinned, for a process of the simulated machine. Counters stand in blocks of 512
// pages, so that pinning a long stretch costs a few cycles a page. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "hal/contradiction.h"

namespace iommusim::hal {

class PinTable {
 public:
  void add(std::uint64_t spa) {
    Block& block = get_block(spa / kBlockBytes);
    if (block.pins[spa % kBlockBytes / kPageBytes]++ == 0) ++block.pages, ++pages_;
  }
  /// True: that was the last pin of the page.
  bool drop(std::uint64_t spa) {
    Block* const block = find_block(spa / kBlockBytes);
    ensure(block && block->pins[spa % kBlockBytes / kPageBytes] != 0, "unpin of a page that is not pinned");
    if (--block->pins[spa % kBlockBytes / kPageBytes] != 0) return false;
    --block->pages, --pages_;
    return true;
  }
  std::uint64_t pins(std::uint64_t spa) {
    Block* const block = find_block(spa / kBlockBytes);
    return block ? block->pins[spa % kBlockBytes / kPageBytes] : 0;
  }
  /// Pages with a pin.
  std::uint64_t pages() const { return pages_; }

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  static constexpr std::uint64_t kBlockBytes = 512 * kPageBytes;
  struct Block {
    std::uint64_t pages = 0;  // with a pin
    std::array<std::uint32_t, 512> pins{};
  };

  Block* find_block(std::uint64_t index) {
    if (last_ && last_index_ == index) return last_;
    const auto at = blocks_.find(index);
    if (at == blocks_.end()) return nullptr;
    last_index_ = index;
    return last_ = at->second.get();
  }
  Block& get_block(std::uint64_t index) {
    if (Block* const block = find_block(index)) return *block;
    last_ = (blocks_[index] = std::make_unique<Block>()).get();
    last_index_ = index;
    return *last_;
  }

  std::unordered_map<std::uint64_t, std::unique_ptr<Block>> blocks_;  // kept when empty: 4 bytes a page, used again
  Block* last_ = nullptr;
  std::uint64_t last_index_ = 0;
  std::uint64_t pages_ = 0;
};

}  // namespace iommusim::hal
