// SPDX-License-Identifier: Apache-2.0
// Device directory (three levels, contexts of 32 bytes) and Sv39 page tables written straight into a memory module,
// table by table: 2^24 pages take a moment, not the ioctls of a driver. Every page is there, accessed, dirty and
// permits everything; frames follow one another.
#pragma once

#include <array>
#include <cstdint>

#include "tlm/sparse_store.h"

namespace iommusim::bench {

class MemoryTables {
 public:
  static constexpr std::uint64_t kBase = 1ULL << 32;  ///< first IOVA of every window

  explicit MemoryTables(bus::SparseStore& store) : store_(store), root_(take()) {}

  std::uint64_t directory() const { return root_; }

  /// Gives the device `pages` pages from kBase on, and an address space of its own.
  void attach(std::uint32_t device, std::uint64_t pages) {
    const std::uint64_t middle = next(root_ + (device >> 16) * 8);
    const std::uint64_t leaf = next(middle + (device >> 7 & 511) * 8);
    const std::uint64_t context = leaf + (device & 127) * 32;
    const std::uint64_t sv39 = take();
    store_.store64(context, 1);                                         // tc: V
    store_.store64(context + 16, std::uint64_t{device + 1} << 12);      // ta: PSCID
    store_.store64(context + 24, std::uint64_t{8} << 60 | sv39 >> 12);  // fsc: Sv39
    for (std::uint64_t page = 0; page < pages; page += 512) map(sv39, kBase + page * 4096);
  }

 private:
  /// A whole table of the last level.
  void map(std::uint64_t sv39, std::uint64_t iova) {
    constexpr std::uint64_t kFlags = 0xdf;  // V R W X U A D
    const std::uint64_t level1 = next(sv39 + (iova >> 30 & 511) * 8);
    const std::uint64_t level0 = next(level1 + (iova >> 21 & 511) * 8);
    std::array<std::uint64_t, 512> entries;
    for (std::uint64_t& entry : entries) entry = (frame_++ << 10) | kFlags;
    store_.write(level0, entries.data(), sizeof entries);
  }
  /// The table that the entry at `address` points to, made when missing. V and PPN of directories and of page tables
  /// stand in the same bits.
  std::uint64_t next(std::uint64_t address) {
    std::uint64_t entry = store_.load64(address);
    if (entry == 0) store_.store64(address, entry = (take() >> 12 << 10) | 1);
    return entry >> 10 << 12;
  }
  std::uint64_t take() { return (free_ += 4096) - 4096; }

  bus::SparseStore& store_;
  std::uint64_t free_ = 1ULL << 32;
  std::uint64_t frame_ = 1ULL << 28;  // data from 2^40 on
  std::uint64_t root_;
};

}  // namespace iommusim::bench
