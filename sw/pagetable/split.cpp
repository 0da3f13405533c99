// SPDX-License-Identifier: Apache-2.0
// Cutting areas in two (R2.23), for the type-1 container alone: its unmap may end inside a mapping. Page tables are not
// touched: with large pages off they are filled page by page.
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "pagetable/io_pagetable.h"

namespace iommusim::pagetable {

int IoPagetable::cut(const Interval& range) {
  if (const int error = cut_after(range.last)) return error;
  return range.start != 0 ? cut_after(range.start - 1) : 0;
}

int IoPagetable::cut_after(std::uint64_t address) {
  const std::shared_lock domains(*domains_lock_);
  const std::lock_guard tree(*tree_lock_);
  Area* area = nullptr;
  std::unique_ptr<Area> rest;
  ++cutters_;
  Undo done([&] { --cutters_; });
  for (;;) {
    area = space_.areas().first_in({address, address});
    if (!area || address == area->iova.start || address == area->iova.last) return 0;
    if (area->state != AreaState::kLive || area->being_unmapped) return EBUSY;
    if (area->pages->window()) return EOPNOTSUPP;
    if (((address + 1) | area->byte_at(address + 1)) % space_.alignment() != 0) return EINVAL;
    if (area->calls == 0) break;
    area_quiet_->wait(*tree_lock_);
  }
  const Interval upper{address + 1, area->iova.last};
  rest = std::make_unique<Area>(upper, area->pages, area->byte_at(upper.start), area->prot);
  if (area->filled) {
    const std::lock_guard pages(area->pages->mutex());
    area->pages->prepare_cut_locked(rest->first_page());
  }
  if (area->pins != 0 || area->locks != 0) return EINVAL;
  if (area->filled && huge_pages_) return EINVAL;
  rest->state = AreaState::kLive;
  rest->filled = area->filled;
  std::unique_ptr<Area> lower = space_.areas().take(*area);
  lower->iova.last = address;
  space_.areas().insert(std::move(lower));
  space_.areas().insert(std::move(rest));
  return 0;
}

}  // namespace iommusim::pagetable
