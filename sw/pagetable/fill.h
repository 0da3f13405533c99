// SPDX-License-Identifier: Apache-2.0
// Areas into I/O page tables and out again. Filling may fail and then leaves nothing behind; clearing cannot fail and
// allocates nothing. All want the domains lock of the address space held, shared or exclusive.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/domain.h"
#include "pagetable/area.h"

namespace iommusim::pagetable {

using DomainList = std::vector<domain::Domain*>;

/// Longest piece given to Domain::map: everything contiguous, or single pages with large pages off (R2.24).
inline constexpr std::uint64_t kAnyLength = kMaxAddress;

/// Makes the pages resident and maps the area in every domain of the list (not empty). 0, EFAULT, ENOMEM, or what a
/// domain returned.
int fill_area(Area& area, const DomainList& domains, std::uint64_t longest_piece);

/// Maps a filled area in one more domain. Needs no new pin.
int map_area(Area& area, domain::Domain& domain, std::uint64_t longest_piece);

/// Undoes map_area; returns after the invalidation.
void unmap_area(Area& area, domain::Domain& domain) noexcept;

/// Undoes fill_area: clears the area in all domains, waits for their invalidations, then lets the pages go (R12.1).
void clear_area(Area& area, const DomainList& domains) noexcept;

/// Lets the pages of a filled area go; no domain shows it any more.
void release_area(Area& area) noexcept;

}  // namespace iommusim::pagetable
