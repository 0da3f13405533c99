// SPDX-License-Identifier: Apache-2.0
// The IOVA pages that are taken, as ranges that never overlap. Searches go from the top down, beginning where the last
// one ended, since that is where room is likely; only a search from the very top says that there is none. Ranges are
// aligned to their size, rounded up to a power of two. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>

namespace iommusim::dma {

class IovaTree {
 public:
  /// Page 0 is never handed out: drivers take address 0 for "none".
  IovaTree() = default;

  /// The highest free range below page `limit` + 1. `low`: the search keeps a place of its own for addresses that are
  /// looked for first. `steps` counts the holes looked at. 0: there is none.
  std::uint64_t allocate(std::uint64_t pages, std::uint64_t limit, bool low, std::uint64_t& steps);
  /// Exactly this range. False: something of it is taken.
  bool take(std::uint64_t first, std::uint64_t pages);
  /// What allocate() gave. A contradiction for anything else.
  void give_back(std::uint64_t first, std::uint64_t pages);
  /// Pages [first, end) of what take() took, in whatever pieces. A contradiction when some page is free.
  void cut(std::uint64_t first, std::uint64_t end);
  /// Pages [first, last] are never handed out; parts of them may be reserved already. Before the first allocation.
  void reserve(std::uint64_t first, std::uint64_t last);

  std::uint64_t ranges() const { return taken_.size(); }

 private:
  std::uint64_t search(std::uint64_t pages, std::uint64_t end, std::uint64_t& steps) const;

  std::map<std::uint64_t, std::uint64_t> taken_;      // first page -> end page
  std::array<std::uint64_t, 2> place_{~0ULL, ~0ULL};  // of searches: nothing much is free from here on up
};

}  // namespace iommusim::dma
