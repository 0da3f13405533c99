// SPDX-License-Identifier: Apache-2.0
// The areas of an address space by IOVA: a treap whose nodes are the areas themselves. Each knows the hull of its
// subtree and the longest hole in it, so that the lowest hole of a given size is found in logarithmic time among
// millions of areas. It answers the questions that SpanWalk asks, as an IntervalTree does. Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "pagetable/area.h"

namespace iommusim::pagetable {

class AreaMap {
 public:
  AreaMap() = default;
  ~AreaMap();
  AreaMap(const AreaMap&) = delete;
  AreaMap& operator=(const AreaMap&) = delete;

  /// `area` must not overlap another one.
  Area& insert(std::unique_ptr<Area> area);
  /// Out of the map; whoever gets it decides where it ends.
  std::unique_ptr<Area> take(Area& area) noexcept;

  bool empty() const { return root_ == nullptr; }
  std::size_t size() const { return size_; }

  // In ascending order; nullptr at the end.
  Area* first() const { return root_ ? leftmost(root_) : nullptr; }
  static Area* next(const Area& area);
  Area* last() const;
  static Area* previous(const Area& area);

  /// The lowest area that overlaps `range`, or nullptr.
  Area* first_in(const Interval& range) const;
  bool overlaps(const Interval& range) const { return first_in(range) != nullptr; }

  std::optional<std::uint64_t> used_through(std::uint64_t address) const;
  std::optional<std::uint64_t> next_start(std::uint64_t address) const;

  /// The lowest range of at least `bytes` free bytes at or above `from`, whole up to the next area; none is empty.
  std::optional<Interval> next_hole(std::uint64_t from, std::uint64_t bytes) const;

 private:
  static Area* leftmost(Area* area);
  static void update(Area& area);
  static std::optional<Interval> hole_between(const Area* area, std::uint64_t from, std::uint64_t bytes);
  void replace_child(Area* parent, Area* old, Area* by);
  void rotate_up(Area& area);

  Area* root_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t inserted_ = 0;
};

}  // namespace iommusim::pagetable
