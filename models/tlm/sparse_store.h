// SPDX-License-Identifier: Apache-2.0
// The contents of system memory: 2^physical_bits bytes, of which only pages that were written exist. A two-level table
// of pages; reading what was never written gives 0 and allocates nothing. Or memory of the host that somebody else owns
// and others use at the same time: then a naturally aligned word is read and written at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bits.h"
#include "base/types.h"

namespace iommusim::bus {

class SparseStore {
 public:
  explicit SparseStore(unsigned physical_bits);  ///< 12 to 56

  /// From here on the contents are `bytes` bytes at `base`, which stay there. What was written before is lost.
  void back_with(std::uint8_t* base, std::uint64_t bytes) {
    flat_ = base;
    size_ = bytes;
  }

  std::uint64_t size() const { return size_; }
  bool contains(std::uint64_t address, std::uint64_t bytes) const {
    return address < size_ && bytes <= size_ - address;
  }

  // For all below: the bytes must lie inside (contains()).
  void read(std::uint64_t address, void* out, std::size_t bytes) const;
  void write(std::uint64_t address, const void* in, std::size_t bytes);
  std::uint64_t load64(std::uint64_t address) const;
  void store64(std::uint64_t address, std::uint64_t value);
  /// 4 or 8 bytes, naturally aligned: stores `desired` if the word equals `expected`; the old word either way.
  std::uint64_t compare_swap(std::uint64_t address, unsigned bytes, std::uint64_t expected, std::uint64_t desired);

  /// The bytes of the page at this address, which exists from then on.
  std::uint8_t* page(std::uint64_t address) {
    return flat_ != nullptr ? flat_ + base::align_down(address, base::kPageSize) : make(address).bytes;
  }

  std::size_t pages() const { return pages_; }  ///< that exist

 private:
  struct Page {
    std::uint8_t bytes[base::kPageSize];
  };
  static constexpr std::size_t kPagesOfChunk = 512;
  struct FreeTable {
    void operator()(void* table) const;
  };
  template <class T>
  using Table = std::unique_ptr<T[], FreeTable>;  // zeroed lazily by the operating system

  const Page* find(std::uint64_t address) const {
    Page* const* leaf = root_[address >> root_shift_];
    return leaf == nullptr ? nullptr : leaf[(address >> base::kPageShift) & leaf_mask_];
  }
  Page& make(std::uint64_t address);
  Page& take_page();

  std::uint8_t* flat_ = nullptr;  ///< of the host
  std::uint64_t size_;
  unsigned root_shift_;
  std::uint64_t leaf_mask_;
  Table<Page**> root_;
  std::vector<Table<Page*>> leaves_;
  std::vector<Table<Page>> chunks_;
  std::size_t pages_ = 0;
};

}  // namespace iommusim::bus
