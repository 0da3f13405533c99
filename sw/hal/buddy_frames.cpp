// SPDX-License-Identifier: Apache-2.0
// Splitting and joining of buddy blocks.
#include "hal/buddy_frames.h"

#include <mutex>
#include <new>

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

// Whoever frees must not need memory: a block that is handed out keeps its node of the free set.
std::uint64_t BuddyFrames::alloc(unsigned order) {
  const std::uint64_t spa = take(order);
  if (spa == 0) return 0;
  static constexpr std::array<unsigned char, 4096> kZeros{};
  try {
    for (std::uint64_t done = 0; done < block_bytes(order); done += kZeros.size())
      memory_.write(spa + done, kZeros.data(), kZeros.size());
  } catch (const std::bad_alloc&) {
    free(spa, order);
    return 0;
  }
  return spa;
}

std::uint64_t BuddyFrames::take(unsigned order) {
  const std::lock_guard guard(*lock_);
  unsigned from = order;
  while (from <= kMaxOrder && free_[from].empty()) ++from;
  if (from > kMaxOrder) return 0;
  const std::uint64_t spa = *free_[from].begin();
  unsigned halves = from;  // below it, the upper half of each order is free
  try {
    Block& block = allocated_[spa];
    while (halves > order) {
      free_[halves - 1].insert(spa + block_bytes(halves - 1));
      --halves;
    }
    block.order = order;
    block.node = free_[from].extract(spa);
  } catch (const std::bad_alloc&) {
    for (; halves < from; ++halves) free_[halves].erase(spa + block_bytes(halves));
    allocated_.erase(spa);
    return 0;
  }
  in_use_ += 1ULL << order;
  return spa;
}

void BuddyFrames::free(std::uint64_t spa, unsigned order) {
  const std::lock_guard guard(*lock_);
  const auto block = allocated_.find(spa);
  ensure(block != allocated_.end() && block->second.order == order, "free of a frame block that is not allocated");
  std::set<std::uint64_t>::node_type node = std::move(block->second.node);
  allocated_.erase(block);
  in_use_ -= 1ULL << order;
  for (; order < kMaxOrder; ++order) {
    const std::uint64_t buddy = spa ^ block_bytes(order);
    if (free_[order].erase(buddy) == 0) break;
    spa = spa < buddy ? spa : buddy;
  }
  node.value() = spa;
  free_[order].insert(std::move(node));
}

std::uint64_t BuddyFrames::frames_in_use() const {
  const std::lock_guard guard(*lock_);
  return in_use_;
}

}  // namespace iommusim::hal
