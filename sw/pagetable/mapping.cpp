// SPDX-License-Identifier: Apache-2.0
// Steps of a mapping and their way back.
#include "pagetable/mapping.h"

#include <cerrno>
#include <mutex>

namespace iommusim::pagetable {

Mapping::Mapping(IoPagetable& space) : space_(space), domains_guard_(*space.domains_lock_) {}

Mapping::~Mapping() {
  for (Area* area : areas_) {
    if (area->filled) clear_area(*area, space_.domains_);
    std::unique_ptr<Area> gone;  // its pages end without the tree lock
    const std::lock_guard tree(*space_.tree_lock_);
    gone = space_.space_.areas().take(*area);
  }
}

int Mapping::check(const Slice& slice, unsigned prot, std::uint64_t iova) const {
  const std::uint64_t alignment = space_.space_.alignment();
  if ((prot & domain::kWrite) && !slice.pages->writable()) return EPERM;
  if (slice.offset % kPage % alignment != 0) return EINVAL;
  // A copy of several slices may have its inner borders where this address space cannot.
  return iova % alignment != 0 || slice.length % alignment != 0 ? EINVAL : 0;
}

int Mapping::place(const std::vector<Slice>& slices, unsigned prot, bool fixed, std::uint64_t& iova) {
  std::uint64_t length = 0;
  for (const Slice& slice : slices) length += slice.length;
  areas_.reserve(slices.size());
  const std::lock_guard tree(*space_.tree_lock_);
  if (const int error =
          space_.space_.place(length, slices.front().pages->address_of(slices.front().offset), fixed, iova))
    return error;
  std::uint64_t at = iova;
  for (const Slice& slice : slices) {
    if (const int error = check(slice, prot, at)) return error;
    const Interval range{at, at + (slice.length - 1)};
    areas_.push_back(&space_.space_.areas().insert(std::make_unique<Area>(range, slice.pages, slice.offset, prot)));
    at = range.last + 1;
  }
  return 0;
}

int Mapping::fill() {
  if (space_.domains_.empty()) return 0;
  for (Area* area : areas_)
    if (const int error = fill_area(*area, space_.domains_, space_.longest_piece())) return error;
  return 0;
}

void Mapping::publish() noexcept {
  const std::lock_guard tree(*space_.tree_lock_);
  for (Area* area : areas_) area->state = AreaState::kLive;
  areas_.clear();
}

}  // namespace iommusim::pagetable
