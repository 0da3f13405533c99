// SPDX-License-Identifier: Apache-2.0
// The bookkeeping of one I/O virtual address space: areas, reservations, allow-list, alignment. It decides where a
// mapping may go, and pins and maps nothing. Not thread-safe: IoPagetable guards it. Invariants: areas are disjoint, no
// reservation overlaps an area or an allowed range (R2.3), every area fits the alignment.
#pragma once

#include <cstdint>
#include <vector>

#include "pagetable/area_map.h"
#include "pagetable/iova_choice.h"

namespace iommusim::pagetable {

class IovaSpace {
 public:
  AreaMap& areas() { return areas_; }
  const AreaMap& areas() const { return areas_; }
  std::uint64_t alignment() const { return alignment_; }

  /// Where `length` bytes go, whose source address is `source`. With `fixed` checks `iova`, else chooses it. 0 or
  /// EINVAL, EOVERFLOW, ENOSPC, EEXIST in the order that a program sees (uapi 3.4, rows 7 and 8). length is not 0.
  int place(std::uint64_t length, std::uint64_t source, bool fixed, std::uint64_t& iova) const;

  /// Keeps mappings out of `range` until the owner's reservations are dropped. 0 or EADDRINUSE.
  int reserve(const Interval& range, const void* owner);
  void unreserve(const void* owner) noexcept;
  /// The unreserved ranges, ascending; touching reservations count as one.
  std::vector<Interval> unreserved() const;

  /// Replaces the allow-list. 0, EADDRINUSE (touches a reservation; the old list stays). `list` must not overlap
  /// itself.
  int allow(AllowedTree&& list);

  /// Whether `alignment` may become the current one: 0, or EADDRINUSE when an area does not fit it (R2.2).
  int check_alignment(std::uint64_t alignment) const;
  /// check_alignment() passed, or the alignment falls.
  void set_alignment(std::uint64_t alignment) { alignment_ = alignment; }

 private:
  int place_fixed(std::uint64_t length, std::uint64_t iova) const;
  int place_automatic(std::uint64_t length, std::uint64_t source, std::uint64_t& iova) const;

  AreaMap areas_;
  ReservedTree reserved_;
  AllowedTree allowed_;
  std::uint64_t alignment_ = 1;
};

}  // namespace iommusim::pagetable
