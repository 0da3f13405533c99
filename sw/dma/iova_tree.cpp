// SPDX-License-Identifier: Apache-2.0
#include "dma/iova_tree.h"

#include <algorithm>

#include "hal/contradiction.h"

namespace iommusim::dma {
namespace {

std::uint64_t power_of_two_from(std::uint64_t pages) {
  std::uint64_t size = 1;
  while (size < pages) size <<= 1;
  return size;
}

}  // namespace

/// First page of the highest free range that ends at or below `end`; 0: none.
std::uint64_t IovaTree::search(std::uint64_t pages, std::uint64_t end, std::uint64_t& steps) const {
  const std::uint64_t align = power_of_two_from(pages);
  auto above = taken_.lower_bound(end);
  for (std::uint64_t top = end;;) {
    ++steps;
    const std::uint64_t bottom = above == taken_.begin() ? 1 : std::max<std::uint64_t>(std::prev(above)->second, 1);
    const std::uint64_t first = top >= pages ? (top - pages) & ~(align - 1) : 0;
    if (first >= bottom) return first;
    if (above == taken_.begin()) return 0;
    --above;
    top = above->first;
  }
}

std::uint64_t IovaTree::allocate(std::uint64_t pages, std::uint64_t limit, bool low, std::uint64_t& steps) {
  std::uint64_t& place = place_[low ? 1 : 0];
  const std::uint64_t end = std::min(place, limit + 1);
  std::uint64_t first = search(pages, end, steps);
  if (first == 0 && end != limit + 1) first = search(pages, limit + 1, steps);
  if (first == 0) return 0;
  taken_.emplace(first, first + pages);
  place = first;
  return first;
}

bool IovaTree::take(std::uint64_t first, std::uint64_t pages) {
  const auto above = taken_.lower_bound(first);
  if (above != taken_.end() && above->first < first + pages) return false;
  if (above != taken_.begin() && std::prev(above)->second > first) return false;
  taken_.emplace_hint(above, first, first + pages);
  return true;
}

void IovaTree::give_back(std::uint64_t first, std::uint64_t pages) {
  const auto at = taken_.find(first);
  hal::ensure(at != taken_.end() && at->second == first + pages, "an IOVA range is given back that was not taken");
  for (std::uint64_t& place : place_) place = std::max(place, at->second);
  taken_.erase(at);
}

void IovaTree::cut(std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t page = first; page < end;) {
    const auto at = taken_.upper_bound(page);
    hal::ensure(at != taken_.begin() && std::prev(at)->second > page, "an IOVA page is given back that was not taken");
    const auto piece = std::prev(at);
    const std::uint64_t piece_first = piece->first, piece_end = piece->second;
    taken_.erase(piece);
    if (piece_first < page) taken_.emplace(piece_first, page);
    if (piece_end > end) taken_.emplace(end, piece_end);
    page = std::min(piece_end, end);
  }
  for (std::uint64_t& place : place_) place = std::max(place, end);
}

void IovaTree::reserve(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t page = first; page <= last;) {
    const auto above = taken_.upper_bound(page);
    if (above != taken_.begin() && std::prev(above)->second > page) {
      page = std::prev(above)->second;
      continue;
    }
    const std::uint64_t end = above == taken_.end() ? last + 1 : std::min(last + 1, above->first);
    taken_.emplace(page, end);
    page = end;
  }
}

}  // namespace iommusim::dma
