// SPDX-License-Identifier: Apache-2.0
// The radix tree of SparseMemory; a node or page that two threads create at once is kept once, by compare-and-swap.
#include "hal/sparse_memory.h"

#include <algorithm>
#include <cstring>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

constexpr std::uint64_t kSparseLimit = 1ULL << 56;

std::size_t child_index(std::uint64_t spa, unsigned level) { return (spa >> (12 + 11 * level)) & 2047; }

/// The child in `slot`, made if there is none.
template <class T>
T* child_or_new(std::atomic<void*>& slot, std::atomic<std::uint64_t>* count) {
  void* child = slot.load(std::memory_order_acquire);
  if (child) return static_cast<T*>(child);
  auto fresh = std::make_unique<T>();
  if (!slot.compare_exchange_strong(child, fresh.get(), std::memory_order_acq_rel)) return static_cast<T*>(child);
  if (count) count->fetch_add(1, std::memory_order_relaxed);
  return fresh.release();
}

}  // namespace

SparseMemory::SparseMemory() : root_(std::make_unique<Node>()) {}
SparseMemory::~SparseMemory() { destroy(root_.get(), kLevels - 1); }

void SparseMemory::destroy(Node* node, unsigned level) {
  for (auto& slot : node->children) {
    void* child = slot.load(std::memory_order_relaxed);
    if (!child) continue;
    if (level == 0) {
      delete static_cast<Page*>(child);
    } else {
      destroy(static_cast<Node*>(child), level - 1);
      delete static_cast<Node*>(child);
    }
  }
}

SparseMemory::Word* SparseMemory::find(std::uint64_t spa) const {
  ensure(spa < kSparseLimit, "access to an address above 2^56");
  const Node* node = root_.get();
  for (unsigned level = kLevels - 1; level > 0; --level) {
    node = static_cast<Node*>(node->children[child_index(spa, level)].load(std::memory_order_acquire));
    if (!node) return nullptr;
  }
  auto* page = static_cast<Page*>(node->children[child_index(spa, 0)].load(std::memory_order_acquire));
  return page ? &page->words[(spa & 4095) / 8] : nullptr;
}

SparseMemory::Word& SparseMemory::get(std::uint64_t spa) {
  if (Word* word = find(spa)) return *word;
  Node* node = root_.get();
  for (unsigned level = kLevels - 1; level > 0; --level)
    node = child_or_new<Node>(node->children[child_index(spa, level)], nullptr);
  return child_or_new<Page>(node->children[child_index(spa, 0)], &pages_)->words[(spa & 4095) / 8];
}

void SparseMemory::read(std::uint64_t spa, void* out, std::size_t bytes) {
  auto* to = static_cast<unsigned char*>(out);
  while (bytes > 0) {
    const std::size_t offset = spa % 8;
    const std::size_t n = std::min<std::size_t>(bytes, 8 - offset);
    const Word* word = find(spa - offset);
    const std::uint64_t value = word ? word->load(std::memory_order_relaxed) : 0;
    std::memcpy(to, reinterpret_cast<const unsigned char*>(&value) + offset, n);
    spa += n, to += n, bytes -= n;
  }
}

void SparseMemory::write(std::uint64_t spa, const void* in, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(in);
  while (bytes > 0) {
    const std::size_t offset = spa % 8;
    const std::size_t n = std::min<std::size_t>(bytes, 8 - offset);
    Word& word = get(spa - offset);
    std::uint64_t value = n == 8 ? 0 : word.load(std::memory_order_relaxed);
    std::uint64_t merged;
    do {  // neighbouring bytes may be written by another thread at the same time
      merged = value;
      std::memcpy(reinterpret_cast<unsigned char*>(&merged) + offset, from, n);
      if (n == 8) {
        word.store(merged, std::memory_order_relaxed);
        break;
      }
    } while (!word.compare_exchange_weak(value, merged, std::memory_order_relaxed));
    spa += n, from += n, bytes -= n;
  }
}

std::uint64_t SparseMemory::load64(std::uint64_t spa) {
  ensure(spa % 8 == 0, "64-bit load from a misaligned address");
  const Word* word = find(spa);
  return word ? word->load(std::memory_order_acquire) : 0;
}

void SparseMemory::store64(std::uint64_t spa, std::uint64_t value) {
  ensure(spa % 8 == 0, "64-bit store to a misaligned address");
  get(spa).store(value, std::memory_order_release);
}

bool SparseMemory::compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) {
  ensure(spa % 8 == 0, "64-bit compare-and-swap on a misaligned address");
  return get(spa).compare_exchange_strong(expected, desired, std::memory_order_acq_rel);
}

// A read-modify-write of one common word: of two threads at a barrier, the later sees what the earlier stored before
// it.
void SparseMemory::barrier() { fence_.fetch_add(1, std::memory_order_seq_cst); }

}  // namespace iommusim::hal
