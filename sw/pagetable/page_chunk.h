// SPDX-License-Identifier: Apache-2.0
// Up to 512 neighbouring pages of a page array: where each is and how many need it. Compact while all of them lie one
// behind the other in physical memory and were acquired together: then it is an address and a count, whatever the
// number of pages. Otherwise 12 bytes a page. A page is pinned and charged exactly while it has a user.
// Invariant: part of a compact chunk is released only after expand(), which may need memory; so release() needs none.
#pragma once

#include <cstdint>
#include <memory>

#include "pagetable/page_source.h"

namespace iommusim::pagetable {

class PageChunk {
 public:
  static constexpr std::uint64_t kPages = 512;

  /// `base`: number of the first page in the source. Nobody uses a page yet.
  PageChunk(std::uint64_t base, std::uint64_t pages) : base_(base), pages_(static_cast<std::uint32_t>(pages)) {}

  /// One more user for each page of [first, last] (numbers inside the chunk); pins and charges those that had none, and
  /// tells how many these were. All or nothing. 0, or an errno of pinning or charging.
  int acquire(PageSource& source, bool writable, std::uint64_t first, std::uint64_t last, std::uint64_t& fresh);
  /// Undoes an acquire, but gives no charge back: the result is how many pages were unpinned.
  std::uint64_t release(PageSource& source, std::uint64_t first, std::uint64_t last) noexcept;
  /// Parts may be released one by one from here on. May throw std::bad_alloc, and then changes nothing.
  void expand();

  bool in_use() const { return used_ != 0; }
  bool has_user(std::uint64_t page) const { return page < pages_ && (words_ ? users()[page] : compact_users_) != 0; }
  /// Of a page with a user.
  std::uint64_t spa(std::uint64_t page) const { return words_ ? words_[page] : compact_spa_ + page * 4096; }
  /// How many pages from `page` on, at most `limit`, lie at `spa` and behind it.
  std::uint64_t run_from(std::uint64_t page, std::uint64_t spa, std::uint64_t limit) const;

 private:
  std::uint32_t* users() { return reinterpret_cast<std::uint32_t*>(words_.get() + pages_); }
  const std::uint32_t* users() const { return reinterpret_cast<const std::uint32_t*>(words_.get() + pages_); }
  bool is_whole(std::uint64_t first, std::uint64_t last) const { return first == 0 && last == pages_ - 1; }
  int pin(PageSource& source, bool writable, std::uint64_t first, std::uint64_t count, std::uint64_t* spas);
  int pin_missing(PageSource& source, bool writable, std::uint64_t first, std::uint64_t last, std::uint64_t& fresh);
  int acquire_whole(PageSource& source, bool writable);
  void make_words();

  std::uint64_t base_;
  std::uint32_t pages_;
  std::uint32_t used_ = 0;                  // pages with a user
  std::unique_ptr<std::uint64_t[]> words_;  // addresses, then counts of users; null: compact
  std::uint64_t compact_spa_ = 0;
  std::uint32_t compact_users_ = 0;
};

}  // namespace iommusim::pagetable
