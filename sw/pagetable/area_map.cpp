// SPDX-License-Identifier: Apache-2.0
// The treap of areas. Priorities come from a counter, so that a run repeats exactly.
#include "pagetable/area_map.h"

#include <algorithm>

#include "hal/contradiction.h"

namespace iommusim::pagetable {
namespace {

std::uint32_t mixed(std::uint64_t count) {
  std::uint64_t z = count * 0x9E3779B97F4A7C15ULL;  // a mixing step of splitmix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return static_cast<std::uint32_t>(z >> 32);
}

}  // namespace

AreaMap::~AreaMap() {
  for (Area* at = root_; at;) {  // leaf by leaf, without recursion
    while (at->links.left || at->links.right) at = at->links.left ? at->links.left : at->links.right;
    Area* const parent = at->links.parent;
    replace_child(parent, at, nullptr);
    delete at;
    at = parent;
  }
}

void AreaMap::update(Area& area) {
  AreaLinks& links = area.links;
  links.hull = area.iova;
  links.max_gap = 0;
  if (const Area* left = links.left) {
    links.hull.start = left->links.hull.start;
    links.max_gap = std::max(left->links.max_gap, area.iova.start - left->links.hull.last - 1);
  }
  if (const Area* right = links.right) {
    links.hull.last = right->links.hull.last;
    links.max_gap = std::max({links.max_gap, right->links.max_gap, right->links.hull.start - area.iova.last - 1});
  }
}

void AreaMap::replace_child(Area* parent, Area* old, Area* by) {
  if (!parent)
    root_ = by;
  else if (parent->links.left == old)
    parent->links.left = by;
  else
    parent->links.right = by;
  if (by) by->links.parent = parent;
}

// Before: the parent's hull covers both; after: the area's.
void AreaMap::rotate_up(Area& area) {
  Area& parent = *area.links.parent;
  replace_child(parent.links.parent, &parent, &area);
  const bool was_left = parent.links.left == &area;
  Area*& inner = was_left ? area.links.right : area.links.left;
  Area*& freed = was_left ? parent.links.left : parent.links.right;
  freed = inner;
  if (freed) freed->links.parent = &parent;
  inner = &parent;
  parent.links.parent = &area;
  update(parent);
  update(area);
}

Area& AreaMap::insert(std::unique_ptr<Area> owned) {
  hal::ensure(!overlaps(owned->iova), "areas overlap");
  Area& area = *owned.release();
  area.links = AreaLinks{};
  area.links.priority = mixed(++inserted_);
  Area* parent = nullptr;
  for (Area* at = root_; at;) {
    parent = at;
    at = area.iova.start < at->iova.start ? at->links.left : at->links.right;
  }
  area.links.parent = parent;
  if (!parent)
    root_ = &area;
  else
    (area.iova.start < parent->iova.start ? parent->links.left : parent->links.right) = &area;
  update(area);
  while (area.links.parent && area.links.parent->links.priority < area.links.priority) rotate_up(area);
  for (Area* at = area.links.parent; at; at = at->links.parent) update(*at);
  ++size_;
  return area;
}

std::unique_ptr<Area> AreaMap::take(Area& area) noexcept {
  while (area.links.left || area.links.right) {
    Area* const left = area.links.left;
    Area* const right = area.links.right;
    rotate_up(!right || (left && left->links.priority > right->links.priority) ? *left : *right);
  }
  Area* const parent = area.links.parent;
  replace_child(parent, &area, nullptr);
  for (Area* at = parent; at; at = at->links.parent) update(*at);
  --size_;
  return std::unique_ptr<Area>(&area);
}

Area* AreaMap::leftmost(Area* area) {
  while (area->links.left) area = area->links.left;
  return area;
}

Area* AreaMap::last() const {
  Area* area = root_;
  while (area && area->links.right) area = area->links.right;
  return area;
}

Area* AreaMap::next(const Area& area) {
  if (area.links.right) return leftmost(area.links.right);
  const Area* at = &area;
  while (at->links.parent && at->links.parent->links.right == at) at = at->links.parent;
  return at->links.parent;
}

Area* AreaMap::previous(const Area& area) {
  if (Area* at = area.links.left) {
    while (at->links.right) at = at->links.right;
    return at;
  }
  const Area* at = &area;
  while (at->links.parent && at->links.parent->links.left == at) at = at->links.parent;
  return at->links.parent;
}

Area* AreaMap::first_in(const Interval& range) const {
  Area* found = nullptr;  // areas are disjoint: the first that does not end before the range
  for (Area* at = root_; at;) {
    if (at->iova.last >= range.start) {
      found = at;
      at = at->links.left;
    } else {
      at = at->links.right;
    }
  }
  return found && found->iova.start <= range.last ? found : nullptr;
}

std::optional<std::uint64_t> AreaMap::used_through(std::uint64_t address) const {
  const Area* const area = first_in({address, address});
  return area ? std::optional(area->iova.last) : std::nullopt;
}

std::optional<std::uint64_t> AreaMap::next_start(std::uint64_t address) const {
  const Area* area = first_in({address, kMaxAddress});
  if (area && area->iova.start <= address) area = next(*area);
  return area ? std::optional(area->iova.start) : std::nullopt;
}

// Between two areas of the subtree, the first of which ends at or above `from`.
std::optional<Interval> AreaMap::hole_between(const Area* area, std::uint64_t from, std::uint64_t bytes) {
  if (!area || area->links.max_gap < bytes || area->links.hull.last < from) return std::nullopt;
  const Area* const left = area->links.left;
  const Area* const right = area->links.right;
  if (const auto found = hole_between(left, from, bytes)) return found;
  if (left && left->links.hull.last >= from && area->iova.start - left->links.hull.last - 1 >= bytes)
    return Interval{left->links.hull.last + 1, area->iova.start - 1};
  if (right && area->iova.last >= from && right->links.hull.start - area->iova.last - 1 >= bytes)
    return Interval{area->iova.last + 1, right->links.hull.start - 1};
  return hole_between(right, from, bytes);
}

std::optional<Interval> AreaMap::next_hole(std::uint64_t from, std::uint64_t bytes) const {
  const Area* at = first_in({from, kMaxAddress});
  if (!at) return kMaxAddress - from >= bytes - 1 ? std::optional(Interval{from, kMaxAddress}) : std::nullopt;
  if (at->iova.start > from && at->iova.start - from >= bytes) return Interval{from, at->iova.start - 1};
  if (const auto found = hole_between(root_, at->iova.last, bytes)) return found;
  const std::uint64_t end = root_->links.hull.last;
  return end != kMaxAddress && kMaxAddress - end >= bytes ? std::optional(Interval{end + 1, kMaxAddress})
                                                          : std::nullopt;
}

}  // namespace iommusim::pagetable
