// SPDX-License-Identifier: Apache-2.0
// Page ranges of many address spaces, each range with the page that its first page stands for. Ranges of one space
// never overlap: a later assignment replaces what it covers. Memory grows with the ranges, not with the pages in them,
// so a mapping of 2^60 bytes costs what one of 4096 does.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace iommusim::traces {

class PageMap {
 public:
  struct Range {
    std::uint64_t last = 0;    ///< last page, inclusive
    std::uint64_t target = 0;  ///< page that the first page stands for; the others follow
    std::uint64_t order = 0;   ///< number of assignments before the one that made it
  };
  using Key = std::pair<std::uint32_t, std::uint64_t>;  ///< address space, first page

  /// Gives the pages [first, last] to `target` onwards; the number of pages that had been assigned already.
  std::uint64_t assign(std::uint32_t space, std::uint64_t first, std::uint64_t last, std::uint64_t target);
  /// The number of pages that were assigned and are not any more.
  std::uint64_t erase(std::uint32_t space, std::uint64_t first, std::uint64_t last);
  bool covers(std::uint32_t space, std::uint64_t first, std::uint64_t last) const;

  /// Calls visit(first, last, target of first) for each piece of [first, last] that is assigned, ascending.
  template <class Visit>
  void visit(std::uint32_t space, std::uint64_t first, std::uint64_t last, Visit&& visit) const {
    for (auto it = lowest_at(space, first); it != ranges_.end() && it->first.first == space && it->first.second <= last;
         ++it) {
      const std::uint64_t from = it->first.second < first ? first : it->first.second;
      visit(from, it->second.last > last ? last : it->second.last, it->second.target + (from - it->first.second));
    }
  }

  std::uint64_t pages() const { return pages_; }
  const std::map<Key, Range>& ranges() const { return ranges_; }

 private:
  /// The lowest range of the space, or the first behind it, that ends at or after `page`.
  std::map<Key, Range>::const_iterator lowest_at(std::uint32_t space, std::uint64_t page) const;

  std::map<Key, Range> ranges_;
  std::uint64_t pages_ = 0;
  std::uint64_t assignments_ = 0;
};

}  // namespace iommusim::traces
