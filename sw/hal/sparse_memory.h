// SPDX-License-Identifier: Apache-2.0
// Plain memory of 2^56 bytes, all zero at first; a 4 KiB page costs host memory from its first write on. Lock-free: a
// four-level radix tree of pages whose nodes are only ever added, and every word is an atomic, so concurrent accesses
// are never a data race of the host. load64 acquires, store64 releases; bulk reads and writes are atomic by word only.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "hal/hardware.h"

namespace iommusim::hal {

class SparseMemory final : public Memory {
 public:
  SparseMemory();
  ~SparseMemory() override;
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;

  void read(std::uint64_t spa, void* out, std::size_t bytes) override;
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override;
  std::uint64_t load64(std::uint64_t spa) override;
  void store64(std::uint64_t spa, std::uint64_t value) override;
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override;
  void barrier() override;

  /// Pages that exist in host memory.
  std::uint64_t pages_touched() const { return pages_.load(std::memory_order_relaxed); }

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::size_t kWordsPerPage = 512;
  static constexpr std::size_t kFanOut = 2048;  // 4 levels of 11 bits: 44 bits of page number
  static constexpr unsigned kLevels = 4;
  struct Page {
    std::array<Word, kWordsPerPage> words{};
  };
  struct Node {
    std::array<std::atomic<void*>, kFanOut> children{};
  };

  Word* find(std::uint64_t spa) const;  ///< nullptr: the page is all zero so far
  Word& get(std::uint64_t spa);         ///< creates the page
  void destroy(Node* node, unsigned level);

  std::unique_ptr<Node> root_;
  std::atomic<std::uint64_t> pages_{0};
  Word fence_{0};
};

}  // namespace iommusim::hal
