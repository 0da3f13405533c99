// SPDX-License-Identifier: Apache-2.0
// Domains, options and reservations of an address space. Mapping, unmapping and accesses have files of their own.
#include "pagetable/io_pagetable.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "hal/contradiction.h"
#include "pagetable/undo.h"

namespace iommusim::pagetable {
namespace {

std::uint64_t smallest_page(const domain::Domain& domain) {
  const std::uint64_t sizes = domain.page_sizes();
  return sizes & -sizes;
}

}  // namespace

IoPagetable::IoPagetable(hal::Os& os)
    : os_(os), domains_lock_(os.make_rwlock()), tree_lock_(os.make_mutex()), area_quiet_(os.make_wait_queue()) {}

IoPagetable::~IoPagetable() {
  hal::ensure(domains_.empty() && members_.empty(), "an address space ends while domains or accesses use it");
  for (const Area* area = space_.areas().first(); area; area = AreaMap::next(*area))
    hal::ensure(area->state == AreaState::kLive && !area->filled && area->calls + area->pins + area->locks == 0,
                "an address space ends while an area is in use");
}

// R2.1
std::uint64_t IoPagetable::needed_alignment() const {
  std::uint64_t alignment = huge_pages_ ? 1 : kPage;
  for (const domain::Domain* domain : domains_) alignment = std::max(alignment, smallest_page(*domain));
  for (const auto& [key, member] : members_) alignment = std::max(alignment, member.alignment);
  return alignment;
}

int IoPagetable::slices_of(const Interval& range, std::vector<Slice>& out) {
  const std::lock_guard guard(*tree_lock_);
  for (std::uint64_t next = range.start;;) {
    const Area* area = space_.areas().first_in({next, next});
    if (!area || area->state != AreaState::kLive) return ENOENT;
    const std::uint64_t last = std::min(range.last, area->iova.last);
    out.push_back({area->pages, area->byte_at(next), last - next + 1});
    if (last == range.last) return 0;
    next = last + 1;
  }
}

bool IoPagetable::area_start(std::uint64_t number, std::uint64_t& iova_out) {
  const std::lock_guard tree(*tree_lock_);
  const Area* area = space_.areas().first();
  while (area && number-- > 0) area = AreaMap::next(*area);
  if (area) iova_out = area->iova.start;
  return area != nullptr;
}

std::vector<Interval> IoPagetable::unreserved(std::uint64_t& alignment) {
  const std::lock_guard guard(*tree_lock_);
  alignment = space_.alignment();
  return space_.unreserved();
}

int IoPagetable::allow(AllowedTree&& list) {
  const std::lock_guard guard(*tree_lock_);
  return space_.allow(std::move(list));
}

int IoPagetable::reserve(const Interval& range, const void* owner) {
  const std::lock_guard guard(*tree_lock_);
  return space_.reserve(range, owner);
}

void IoPagetable::unreserve(const void* owner) {
  const std::lock_guard guard(*tree_lock_);
  space_.unreserve(owner);
}

bool IoPagetable::huge_pages() {
  const std::shared_lock guard(*domains_lock_);
  return huge_pages_;
}

// R2.24
int IoPagetable::set_huge_pages(bool on) {
  const std::unique_lock domains(*domains_lock_);
  const std::lock_guard tree(*tree_lock_);
  if (!on && huge_pages_) {
    if (!domains_.empty() && !space_.areas().empty()) return EINVAL;
    if (const int error = space_.check_alignment(kPage)) return error;
  }
  huge_pages_ = on;
  space_.set_alignment(needed_alignment());
  return 0;
}

int IoPagetable::add_domain(domain::Domain& domain) {
  const std::unique_lock domains(*domains_lock_);
  const std::uint64_t smallest = smallest_page(domain);
  if (smallest == 0 || smallest > kPage) return EINVAL;
  const bool first_one = domains_.empty();
  domains_.push_back(&domain);
  Undo forget([&] {
    domains_.pop_back();
    unreserve(&domain);
  });
  {
    const std::lock_guard tree(*tree_lock_);
    if (const int error = space_.check_alignment(smallest)) return error;
    if (const int error = reserve_aperture_locked(domain)) return error;
  }
  // Nobody adds or removes an area while the lock is exclusive, so the map can be walked without the tree lock.
  const AreaMap& areas = space_.areas();
  Area* next = areas.first();
  Undo empty([&] {
    for (Area* area = next ? AreaMap::previous(*next) : areas.last(); area; area = AreaMap::previous(*area)) {
      if (first_one)
        clear_area(*area, domains_);
      else
        unmap_area(*area, domain);
    }
  });
  for (; next; next = AreaMap::next(*next)) {
    const int error =
        first_one ? fill_area(*next, domains_, longest_piece()) : map_area(*next, domain, longest_piece());
    if (error) return error;
  }
  empty.keep();
  forget.keep();
  const std::lock_guard tree(*tree_lock_);
  space_.set_alignment(needed_alignment());
  return 0;
}

std::uint64_t IoPagetable::common_page_sizes() {
  const std::shared_lock guard(*domains_lock_);
  std::uint64_t sizes = ~0ULL;
  for (const domain::Domain* domain : domains_) sizes &= domain->page_sizes();
  return sizes;
}

// R2.5
int IoPagetable::reserve_aperture_locked(const domain::Domain& domain) {
  const std::uint64_t first = domain.aperture_start();
  const std::uint64_t last = domain.aperture_last();
  if (first != 0)
    if (const int error = space_.reserve({0, first - 1}, &domain)) return error;
  return last != kMaxAddress ? space_.reserve({last + 1, kMaxAddress}, &domain) : 0;
}

// One invalidation for all areas; pages go only after it (R12.1).
void IoPagetable::remove_domain(domain::Domain& domain) noexcept {
  const std::unique_lock domains(*domains_lock_);
  const AreaMap& areas = space_.areas();
  domain::Gather gather;
  for (Area* area = areas.first(); area; area = AreaMap::next(*area)) {
    if (area->pages->window())
      unmap_area(*area, domain);
    else
      hal::ensure(domain.unmap(area->iova.start, area->length(), gather) == area->length(),
                  "a domain lost part of a mapping");
  }
  domain.sync(gather);
  domains_.erase(std::remove(domains_.begin(), domains_.end(), &domain), domains_.end());
  if (domains_.empty())
    for (Area* area = areas.first(); area; area = AreaMap::next(*area)) release_area(*area);
  const std::lock_guard tree(*tree_lock_);
  space_.unreserve(&domain);
  space_.set_alignment(needed_alignment());
}

}  // namespace iommusim::pagetable
