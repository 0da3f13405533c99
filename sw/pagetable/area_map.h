// SPDX-License-Identifier: Apache-2.0
// The areas of an address space by IOVA. They are disjoint, so an ordered map does; it answers the same questions as an
// IntervalTree, and SpanWalk takes both. Erasing allocates nothing.
#pragma once

#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include "hal/contradiction.h"
#include "pagetable/area.h"

namespace iommusim::pagetable {

class AreaMap {
 public:
  /// `area` must not overlap another one.
  Area& insert(std::unique_ptr<Area> area) {
    hal::ensure(!overlaps(area->iova), "areas overlap");
    const std::uint64_t start = area->iova.start;
    return *areas_.emplace(start, std::move(area)).first->second;
  }
  void erase(const Area& area) { areas_.erase(area.iova.start); }

  bool empty() const { return areas_.empty(); }
  std::size_t size() const { return areas_.size(); }
  auto begin() const { return areas_.begin(); }
  auto end() const { return areas_.end(); }

  /// The lowest area that overlaps `range`, or nullptr.
  Area* first_in(const Interval& range) const {
    auto at = areas_.upper_bound(range.start);
    if (at != areas_.begin() && std::prev(at)->second->iova.last >= range.start) --at;
    return at != areas_.end() && at->first <= range.last ? at->second.get() : nullptr;
  }
  bool overlaps(const Interval& range) const { return first_in(range) != nullptr; }

  std::optional<std::uint64_t> used_through(std::uint64_t address) const {
    const Area* area = first_in({address, address});
    return area ? std::optional(area->iova.last) : std::nullopt;
  }
  std::optional<std::uint64_t> next_start(std::uint64_t address) const {
    const auto at = areas_.upper_bound(address);
    return at != areas_.end() ? std::optional(at->first) : std::nullopt;
  }

 private:
  std::map<std::uint64_t, std::unique_ptr<Area>> areas_;
};

}  // namespace iommusim::pagetable
