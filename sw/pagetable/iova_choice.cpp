// SPDX-License-Identifier: Apache-2.0
// First fit over the free spans between areas and reservations, run by run of the allow-list. Holes between areas that
// are too small are never looked at, so that the choice among millions of areas stays quick.
#include "pagetable/iova_choice.h"

#include <algorithm>

#include "pagetable/span_walk.h"

namespace iommusim::pagetable {
namespace {

constexpr Interval kChoiceWindow{kPage, kMaxAddress - kPage};

std::uint64_t round_up_to_power_of_two(std::uint64_t value) {
  std::uint64_t power = 1;
  while (power < value) power <<= 1;
  return power;
}

}  // namespace

std::uint64_t wanted_alignment(std::uint64_t length, std::uint64_t source_address) {
  std::uint64_t alignment = round_up_to_power_of_two(length);
  if (source_address != 0) alignment = std::min(alignment, source_address & -source_address);
  return std::min(alignment, kHugePage);
}

std::optional<std::uint64_t> place_in(const Interval& span, std::uint64_t length, std::uint64_t alignment,
                                      std::uint64_t in_page) {
  if (span.start > kMaxAddress - (alignment - 1)) return std::nullopt;
  const std::uint64_t start = ((span.start + (alignment - 1)) & -alignment) | in_page;
  // R2.7: a place of a single byte is never used, so start must lie below the end, not at it.
  if (start >= span.last || span.last - start < length - 1) return std::nullopt;
  return start;
}

std::optional<std::uint64_t> choose_iova(const AreaMap& areas, const ReservedTree& reserved, const AllowedTree& allowed,
                                         std::uint64_t length, std::uint64_t alignment, std::uint64_t in_page) {
  const auto choose_inside = [&](const Interval& run) -> std::optional<std::uint64_t> {
    auto from = place_in(run, length, alignment, in_page);
    while (from) {
      auto hole = areas.next_hole(*from, length);
      if (!hole || hole->start > run.last) return std::nullopt;
      hole->last = std::min(hole->last, run.last);
      SpanWalk walk(*hole, reserved);
      while (const auto span = walk.next()) {
        if (span->used) continue;
        if (const auto found = place_in(span->range, length, alignment, in_page)) return found;
      }
      if (hole->last == run.last) return std::nullopt;
      from = hole->last + 1;
    }
    return std::nullopt;
  };
  if (allowed.empty()) return choose_inside(kChoiceWindow);
  SpanWalk runs(kChoiceWindow, allowed);
  while (const auto run = runs.next()) {
    if (!run->used) continue;
    if (const auto found = choose_inside(run->range)) return found;
  }
  return std::nullopt;
}

}  // namespace iommusim::pagetable
