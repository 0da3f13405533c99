// SPDX-License-Identifier: Apache-2.0
// Page tables follow areas: pages are pinned before they are mapped, and mapped nowhere before they are unpinned.
#include "pagetable/fill.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "hal/contradiction.h"
#include "pagetable/undo.h"

namespace iommusim::pagetable {
namespace {

void clear_bytes(domain::Domain& domain, std::uint64_t iova, std::uint64_t bytes) noexcept {
  domain::Gather gather;
  hal::ensure(domain.unmap(iova, bytes, gather) == bytes, "a domain lost part of a mapping");
  domain.sync(gather);
}

/// Into a page table; of a dma-buf, which has no pins.
int map_window(Area& area, domain::Domain& domain, std::uint64_t longest_piece) {
  return area.pages->window()->map(domain, area.iova.start, area.offset, area.length(), area.prot, longest_piece);
}

int map_area_locked(Area& area, domain::Domain& domain, std::uint64_t longest_piece) {
  std::uint64_t done = 0;
  Undo unmap([&] {
    if (done != 0) clear_bytes(domain, area.iova.start, done);
  });
  while (done < area.length()) {
    const Run run = area.pages->run_locked(area.offset + done, std::min(longest_piece, area.length() - done));
    if (const int error = domain.map(area.iova.start + done, run.spa, run.bytes, area.prot)) return error;
    done += run.bytes;
  }
  unmap.keep();
  return 0;
}

}  // namespace

int map_area(Area& area, domain::Domain& domain, std::uint64_t longest_piece) {
  if (area.pages->window()) return map_window(area, domain, longest_piece);
  const std::lock_guard guard(area.pages->mutex());
  return map_area_locked(area, domain, longest_piece);
}

void unmap_area(Area& area, domain::Domain& domain) noexcept {
  if (area.pages->window())
    area.pages->window()->unmap(domain, area.iova.start, area.length());
  else
    clear_bytes(domain, area.iova.start, area.length());
}

static int fill_window(Area& area, const DomainList& domains, std::uint64_t longest_piece) {
  std::size_t mapped = 0;
  Undo empty([&] {
    while (mapped > 0) unmap_area(area, *domains[--mapped]);
  });
  for (; mapped < domains.size(); ++mapped)
    if (const int error = map_window(area, *domains[mapped], longest_piece)) return error;
  empty.keep();
  area.filled = true;
  return 0;
}

int fill_area(Area& area, const DomainList& domains, std::uint64_t longest_piece) {
  if (area.pages->window()) return fill_window(area, domains, longest_piece);
  const std::lock_guard guard(area.pages->mutex());
  if (const int error = area.pages->acquire_locked(area.first_page(), area.last_page())) return error;
  std::size_t mapped = 0;
  Undo empty([&] {
    while (mapped > 0) clear_bytes(*domains[--mapped], area.iova.start, area.length());
    area.pages->release_locked(area.first_page(), area.last_page());
  });
  for (; mapped < domains.size(); ++mapped)
    if (const int error = map_area_locked(area, *domains[mapped], longest_piece)) return error;
  empty.keep();
  area.filled = true;
  return 0;
}

void clear_area(Area& area, const DomainList& domains) noexcept {
  if (area.pages->window()) {
    for (domain::Domain* domain : domains) unmap_area(area, *domain);
    return release_area(area);
  }
  std::array<domain::Gather, 8> gathers;  // of one round: an unmap must not allocate
  for (std::size_t from = 0; from < domains.size(); from += gathers.size()) {
    const std::size_t end = std::min(domains.size(), from + gathers.size());
    for (std::size_t i = from; i < end; ++i)
      hal::ensure(domains[i]->unmap(area.iova.start, area.length(), gathers[i - from]) == area.length(),
                  "a domain lost part of a mapping");
    for (std::size_t i = from; i < end; ++i) domains[i]->sync(gathers[i - from]);
  }
  release_area(area);
}

void release_area(Area& area) noexcept {
  area.filled = false;
  if (area.pages->window()) return;
  const std::lock_guard guard(area.pages->mutex());
  area.pages->release_locked(area.first_page(), area.last_page());
}

}  // namespace iommusim::pagetable
