// SPDX-License-Identifier: Apache-2.0
// Placement of mappings, reservations, alignment.
#include "pagetable/iova_space.h"

#include <cerrno>

#include "pagetable/span_walk.h"

namespace iommusim::pagetable {

int IovaSpace::place(std::uint64_t length, std::uint64_t source, bool fixed, std::uint64_t& iova) const {
  if (length % alignment_ != 0) return EINVAL;
  return fixed ? place_fixed(length, iova) : place_automatic(length, source, iova);
}

int IovaSpace::place_fixed(std::uint64_t length, std::uint64_t iova) const {
  if (iova % alignment_ != 0) return EINVAL;
  const Interval range{iova, iova + (length - 1)};
  if (range.last < iova) return EOVERFLOW;
  if (reserved_.overlaps(range)) return EINVAL;
  return areas_.overlaps(range) ? EEXIST : 0;
}

int IovaSpace::place_automatic(std::uint64_t length, std::uint64_t source, std::uint64_t& iova) const {
  if (length >= kMaxAddress / 2) return EOVERFLOW;
  const std::uint64_t wanted = wanted_alignment(length, source);
  if (wanted < alignment_) return EINVAL;
  const auto found = choose_iova(areas_, reserved_, allowed_, length, wanted, source % kPage);
  if (!found) return ENOSPC;
  iova = *found;
  return 0;
}

int IovaSpace::reserve(const Interval& range, const void* owner) {
  if (areas_.overlaps(range) || allowed_.overlaps(range)) return EADDRINUSE;
  reserved_.insert(range, owner);
  return 0;
}

void IovaSpace::unreserve(const void* owner) noexcept {
  reserved_.erase_if([owner](const Interval&, const void* of) { return of == owner; });
}

std::vector<Interval> IovaSpace::unreserved() const {
  std::vector<Interval> out;
  SpanWalk walk({0, kMaxAddress}, reserved_);
  while (const auto span = walk.next())
    if (!span->used) out.push_back(span->range);
  return out;
}

int IovaSpace::allow(AllowedTree&& list) {
  SpanWalk walk({0, kMaxAddress}, list);
  while (const auto span = walk.next())
    if (span->used && reserved_.overlaps(span->range)) return EADDRINUSE;
  allowed_ = std::move(list);
  return 0;
}

int IovaSpace::check_alignment(std::uint64_t alignment) const {
  if (alignment <= alignment_) return 0;
  for (const Area* area = areas_.first(); area; area = AreaMap::next(*area))
    if ((area->iova.start | area->length() | area->offset) % alignment != 0) return EADDRINUSE;
  return 0;
}

}  // namespace iommusim::pagetable
