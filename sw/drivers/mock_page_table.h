// SPDX-License-Identifier: Apache-2.0
// The page table behind MockDomain: leaves by IOVA in chunks of 64 entries of the smallest page. A leaf of more than
// one entry fills each of them, so any entry tells the whole leaf. A cleared leaf stays behind as "stale" until it is
// forgotten; clearing and forgetting allocate nothing. Not thread-safe: its domain guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "domain/domain.h"

namespace iommusim::drivers {

/// What a page table can hold.
struct MockFormat {
  std::uint64_t page_sizes = (1ULL << 12) | (1ULL << 21);  ///< the smallest: at least 256 bytes
  std::uint64_t aperture_start = 0;
  std::uint64_t aperture_last = (1ULL << 47) - 1;
};

class MockPageTable {
 public:
  struct Leaf {
    std::uint64_t iova = 0;
    std::uint64_t bytes = 0;
    std::uint64_t spa = 0;
    unsigned prot = 0;
  };

  explicit MockPageTable(const MockFormat& format);

  /// Uses the largest leaves that fit. 0, EINVAL, EEXIST, ENOMEM; on failure nothing has changed.
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot);
  /// Makes the leaves of the range stale, those that lie partly inside whole; bytes of them.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t last, domain::Gather& gather) noexcept;
  /// Drops the stale leaves that touch the range.
  void forget(std::uint64_t start, std::uint64_t last) noexcept;

  /// The present leaf at `iova`.
  bool find(std::uint64_t iova, Leaf& out) const;
  /// Whether DMA at `iova` reaches something that allows `prot`: a stale leaf counts as much as a present one.
  bool translate(std::uint64_t iova, unsigned prot, std::uint64_t& spa_out) const;
  /// Marks the present leaf at `iova` as written. False: there is none.
  bool mark_dirty(std::uint64_t iova) noexcept;
  /// Reports the written leaves of the range, cut to it, and forgets that they were if `clear`.
  void read_dirty(std::uint64_t start, std::uint64_t last, bool clear, domain::DirtySink& sink, domain::Gather& gather);

  std::uint64_t smallest_page() const { return 1ULL << shift_; }
  std::uint64_t mapped_bytes() const { return mapped_entries_ << shift_; }
  std::uint64_t stale_leaves() const;
  /// Whether the byte at `spa` lies in a present or a stale leaf.
  bool reaches(std::uint64_t spa) const;

 private:
  static constexpr unsigned kEntries = 64;
  // An entry: physical address of its leaf, log2 of the leaf's number of entries, protection.
  static constexpr std::uint64_t kProtMask = 3, kOrderMask = 0xFC, kSpaMask = ~0xFFULL;
  struct Chunk {
    Chunk() {}  // entries without a bit are never read
    std::uint64_t present = 0;
    std::uint64_t stale = 0;
    std::uint64_t dirty = 0;
    std::uint64_t entries[kEntries];
  };
  using Chunks = std::map<std::uint64_t, Chunk>;  // by number of the first entry / kEntries
  struct Run {
    std::uint64_t first, last;
  };

  static unsigned order_of(std::uint64_t entry) { return static_cast<unsigned>((entry & kOrderMask) >> 2); }
  /// The leaf that covers entry `index`.
  static Run leaf_at(std::uint64_t index, std::uint64_t entry) {
    const std::uint64_t mask = (1ULL << order_of(entry)) - 1;
    return {index & ~mask, index | mask};
  }
  static std::uint64_t bits(std::uint64_t chunk, const Run& run);
  Leaf leaf_of(std::uint64_t index, std::uint64_t entry) const;
  bool allows(std::uint64_t index, std::uint64_t entry, std::uint64_t iova, unsigned prot, std::uint64_t& out) const;
  const Chunk* chunk_of(std::uint64_t index) const;
  bool present_in(const Run& run) const;
  void put(const Run& run, std::uint64_t entry, Chunks::iterator& at);
  void take_back(const Run& run) noexcept;
  int check(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) const;
  /// `work(chunk number, chunk)` for the chunks of the run that exist; a chunk left empty goes.
  template <class Work>
  void each_chunk(const Run& run, Work work);

  const MockFormat format_;
  const unsigned shift_;  // of the smallest page
  Chunks chunks_;
  std::uint64_t mapped_entries_ = 0;
  std::multimap<std::uint64_t, Leaf> buried_;  // stale leaves under something that was mapped since, by IOVA
};

}  // namespace iommusim::drivers
