// SPDX-License-Identifier: Apache-2.0
#include "traces/page_map.h"

#include <algorithm>

namespace iommusim::traces {

std::map<PageMap::Key, PageMap::Range>::const_iterator PageMap::lowest_at(std::uint32_t space,
                                                                          std::uint64_t page) const {
  const auto behind = ranges_.upper_bound({space, page});
  if (behind == ranges_.begin()) return behind;
  const auto before = std::prev(behind);
  return before->first.first == space && before->second.last >= page ? before : behind;
}

std::uint64_t PageMap::assign(std::uint32_t space, std::uint64_t first, std::uint64_t last, std::uint64_t target) {
  const std::uint64_t replaced = erase(space, first, last);
  ranges_.emplace(Key{space, first}, Range{last, target, assignments_++});
  pages_ += last - first + 1;
  return replaced;
}

std::uint64_t PageMap::erase(std::uint32_t space, std::uint64_t first, std::uint64_t last) {
  std::uint64_t erased = 0;
  auto it = lowest_at(space, first);
  while (it != ranges_.end() && it->first.first == space && it->first.second <= last) {
    const std::uint64_t begin = it->first.second;
    const Range range = it->second;
    it = ranges_.erase(it);
    if (begin < first) ranges_.emplace(Key{space, begin}, Range{first - 1, range.target, range.order});
    if (range.last > last)
      ranges_.emplace(Key{space, last + 1}, Range{range.last, range.target + (last + 1 - begin), range.order});
    erased += std::min(range.last, last) - std::max(begin, first) + 1;
  }
  pages_ -= erased;
  return erased;
}

bool PageMap::covers(std::uint32_t space, std::uint64_t first, std::uint64_t last) const {
  std::uint64_t covered = 0;
  visit(space, first, last, [&](std::uint64_t from, std::uint64_t to, std::uint64_t) { covered += to - from + 1; });
  return covered == last - first + 1;
}

}  // namespace iommusim::traces
