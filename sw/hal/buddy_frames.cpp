// SPDX-License-Identifier: Apache-2.0
// Splitting and joining of buddy blocks.
#include "hal/buddy_frames.h"

#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

constexpr std::uint64_t block_bytes(unsigned order) { return 4096ULL << order; }

}  // namespace

BuddyFrames::BuddyFrames(Os& os, Memory& memory, std::uint64_t start, std::uint64_t bytes)
    : memory_(memory), lock_(os.make_mutex()) {
  ensure(start % 4096 == 0 && bytes % 4096 == 0, "a frame range is a multiple of 4 KiB");
  std::uint64_t at = start == 0 ? 4096 : start;
  const std::uint64_t end = start + bytes;
  while (at < end) {  // the largest aligned block that fits, again and again
    unsigned order = kMaxOrder;
    while (at % block_bytes(order) != 0 || block_bytes(order) > end - at) --order;
    free_[order].insert(at);
    at += block_bytes(order);
  }
}

std::uint64_t BuddyFrames::alloc(unsigned order) {
  std::uint64_t spa = 0;
  {
    const std::lock_guard guard(*lock_);
    unsigned from = order;
    while (from <= kMaxOrder && free_[from].empty()) ++from;
    if (from > kMaxOrder) return 0;
    spa = *free_[from].begin();
    free_[from].erase(free_[from].begin());
    while (from > order) {  // the upper half stays free
      --from;
      free_[from].insert(spa + block_bytes(from));
    }
    allocated_.emplace(spa, order);
    in_use_ += 1ULL << order;
  }
  static constexpr std::array<unsigned char, 4096> kZeros{};
  for (std::uint64_t done = 0; done < block_bytes(order); done += kZeros.size())
    memory_.write(spa + done, kZeros.data(), kZeros.size());
  return spa;
}

void BuddyFrames::free(std::uint64_t spa, unsigned order) {
  const std::lock_guard guard(*lock_);
  const auto block = allocated_.find(spa);
  ensure(block != allocated_.end() && block->second == order, "free of a frame block that is not allocated");
  allocated_.erase(block);
  in_use_ -= 1ULL << order;
  for (; order < kMaxOrder; ++order) {
    const std::uint64_t buddy = spa ^ block_bytes(order);
    if (free_[order].erase(buddy) == 0) break;
    spa = spa < buddy ? spa : buddy;
  }
  free_[order].insert(spa);
}

std::uint64_t BuddyFrames::frames_in_use() const {
  const std::lock_guard guard(*lock_);
  return in_use_;
}

}  // namespace iommusim::hal
