// SPDX-License-Identifier: Apache-2.0
#include "tlm/sparse_store.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"

namespace iommusim::bus {

namespace {

/// The part of [address, address + bytes) that lies in the first page.
std::size_t piece_in_page(std::uint64_t address, std::size_t bytes) {
  return std::min<std::size_t>(bytes, base::kPageSize - (address & (base::kPageSize - 1)));
}

/// Words as words: a processor of the host may write them meanwhile.
void copy_shared(void* to, const void* from, std::uint64_t address, std::size_t bytes) {
  if (bytes == 8 && address % 8 == 0) {
    const std::uint64_t word = __atomic_load_n(static_cast<const std::uint64_t*>(from), __ATOMIC_ACQUIRE);
    std::memcpy(to, &word, sizeof word);
  } else {
    std::memcpy(to, from, bytes);
  }
}

template <class T>
T* zeroed_table(std::size_t entries) {
  void* table = std::calloc(entries, sizeof(T));  // large ones are pages of zeros that exist when touched
  if (table == nullptr) throw std::bad_alloc();
  return static_cast<T*>(table);
}

}  // namespace

void SparseStore::FreeTable::operator()(void* table) const { std::free(table); }

SparseStore::SparseStore(unsigned physical_bits) : size_(1ULL << physical_bits) {
  base::ensure(physical_bits >= 12 && physical_bits <= 56, "a memory below 2^12 or above 2^56 bytes");
  const unsigned leaf_bits = (physical_bits - base::kPageShift) / 2;
  root_shift_ = base::kPageShift + leaf_bits;
  leaf_mask_ = (1ULL << leaf_bits) - 1;
  root_.reset(zeroed_table<Page**>(std::size_t{1} << (physical_bits - root_shift_)));
}

SparseStore::Page& SparseStore::make(std::uint64_t address) {
  Page**& leaf = root_[address >> root_shift_];
  if (leaf == nullptr) {
    leaves_.emplace_back(zeroed_table<Page*>(leaf_mask_ + 1));
    leaf = leaves_.back().get();
  }
  Page*& page = leaf[(address >> base::kPageShift) & leaf_mask_];
  if (page == nullptr) page = &take_page();
  return *page;
}

/// Pages lie together, so that the host can translate them by large pages: a walk reads one cold line after another.
SparseStore::Page& SparseStore::take_page() {
  const std::size_t index = pages_ % kPagesOfChunk;
  if (index == 0) {
    constexpr std::size_t kBytes = kPagesOfChunk * sizeof(Page);
    void* const chunk = std::aligned_alloc(kBytes, kBytes);
    if (chunk == nullptr) throw std::bad_alloc();
    madvise(chunk, kBytes, MADV_HUGEPAGE);  // a wish
    chunks_.emplace_back(static_cast<Page*>(chunk));
  }
  Page& page = chunks_.back()[index];
  std::memset(page.bytes, 0, sizeof page.bytes);
  ++pages_;
  return page;
}

void SparseStore::read(std::uint64_t address, void* out, std::size_t bytes) const {
  base::ensure(contains(address, bytes), "a read outside of the memory");
  if (flat_ != nullptr) return copy_shared(out, flat_ + address, address, bytes);
  auto* to = static_cast<std::uint8_t*>(out);
  while (bytes > 0) {
    const std::size_t piece = piece_in_page(address, bytes);
    if (const Page* page = find(address))
      std::memcpy(to, page->bytes + (address & (base::kPageSize - 1)), piece);
    else
      std::memset(to, 0, piece);
    address += piece;
    to += piece;
    bytes -= piece;
  }
}

void SparseStore::write(std::uint64_t address, const void* in, std::size_t bytes) {
  base::ensure(contains(address, bytes), "a write outside of the memory");
  if (flat_ != nullptr) {
    std::uint64_t word = 0;
    if (bytes != 8 || address % 8 != 0) {
      std::memcpy(flat_ + address, in, bytes);
    } else {
      std::memcpy(&word, in, sizeof word);
      __atomic_store_n(reinterpret_cast<std::uint64_t*>(flat_ + address), word, __ATOMIC_RELEASE);
    }
    return;
  }
  const auto* from = static_cast<const std::uint8_t*>(in);
  while (bytes > 0) {
    const std::size_t piece = piece_in_page(address, bytes);
    std::memcpy(make(address).bytes + (address & (base::kPageSize - 1)), from, piece);
    address += piece;
    from += piece;
    bytes -= piece;
  }
}

std::uint64_t SparseStore::load64(std::uint64_t address) const {
  std::uint64_t value;
  read(address, &value, sizeof value);
  return value;
}

void SparseStore::store64(std::uint64_t address, std::uint64_t value) { write(address, &value, sizeof value); }

std::uint64_t SparseStore::compare_swap(std::uint64_t address, unsigned bytes, std::uint64_t expected,
                                        std::uint64_t desired) {
  base::ensure((bytes == 4 || bytes == 8) && address % bytes == 0, "a compare-and-swap that is not an aligned word");
  if (flat_ != nullptr && bytes == 8) {
    __atomic_compare_exchange_n(reinterpret_cast<std::uint64_t*>(flat_ + address), &expected, desired, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
  }
  if (flat_ != nullptr) {
    auto word = static_cast<std::uint32_t>(expected);
    __atomic_compare_exchange_n(reinterpret_cast<std::uint32_t*>(flat_ + address), &word,
                                static_cast<std::uint32_t>(desired), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return word;
  }
  std::uint64_t old = 0;
  read(address, &old, bytes);
  if (old == (bytes == 8 ? expected : expected & 0xffffffffU)) write(address, &desired, bytes);
  return old;
}

}  // namespace iommusim::bus
