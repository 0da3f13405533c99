// SPDX-License-Identifier: Apache-2.0
// Automatic choice of an IOVA (R2.6 to R2.9): the alignment that a mapping deserves, and the first place that fits.
#pragma once

#include <cstdint>
#include <optional>

#include "pagetable/area_map.h"
#include "pagetable/interval.h"
#include "pagetable/interval_tree.h"

namespace iommusim::pagetable {

inline constexpr std::uint64_t kHugePage = 2ULL << 20;  ///< more alignment than this helps no page table

/// The owner of a reservation: a device or a domain.
using ReservedTree = IntervalTree<const void*>;
struct NoValue {};
using AllowedTree = IntervalTree<NoValue>;

/// R2.6: as large as length and source address share, so that large leaves can be used. 1 <= length < 2^63 - 1.
std::uint64_t wanted_alignment(std::uint64_t length, std::uint64_t source_address);

/// R2.7: where a block of `length` bytes would start in the span; nothing if it does not fit. `in_page` is the offset
/// of the source inside its page, which the IOVA takes over.
std::optional<std::uint64_t> place_in(const Interval& span, std::uint64_t length, std::uint64_t alignment,
                                      std::uint64_t in_page);

/// R2.8: the lowest free place inside the allow-list, or anywhere if that is empty. Never IOVA 0.
std::optional<std::uint64_t> choose_iova(const AreaMap& areas, const ReservedTree& reserved, const AllowedTree& allowed,
                                         std::uint64_t length, std::uint64_t alignment, std::uint64_t in_page);

}  // namespace iommusim::pagetable
