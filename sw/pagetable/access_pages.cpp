// SPDX-License-Identifier: Apache-2.0
// In-kernel users of an address space: joining, pinning, copying (R6).
//
// A pin goes area by area: enter the area under the tree lock (which keeps it from being unmapped), pin outside of it,
// turn the stay into a lasting pin, go on. So a slow pin holds up only an unmap of that area.
#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "hal/contradiction.h"
#include "pagetable/io_pagetable.h"
#include "pagetable/undo.h"

namespace iommusim::pagetable {

int IoPagetable::join(AccessListener& access, AccessPins pins, std::uint64_t& key) {
  const std::unique_lock domains(*domains_lock_);
  const std::lock_guard tree(*tree_lock_);
  const std::uint64_t alignment = pins == AccessPins::kNone ? 1 : kPage;
  if (const int error = space_.check_alignment(alignment)) return error;
  key = next_key_++;
  members_.emplace(key, Member{&access, alignment});
  space_.set_alignment(needed_alignment());
  return 0;
}

void IoPagetable::leave(std::uint64_t key) noexcept {
  const std::unique_lock domains(*domains_lock_);
  const std::lock_guard tree(*tree_lock_);
  hal::ensure(members_.erase(key) == 1, "an access leaves an address space that it had not joined");
  space_.set_alignment(needed_alignment());
}

int IoPagetable::enter_area(const Interval& rest, bool write, bool whole_pages, Area*& out) {
  const std::lock_guard tree(*tree_lock_);
  Area* const area = space_.areas().first_in({rest.start, rest.start});
  if (!area || area->state != AreaState::kLive) return ENOENT;
  if (area->being_unmapped || area->pages->window()) return EINVAL;
  if (whole_pages) {
    if (area->byte_at(rest.start) % kPage != 0) return EINVAL;
    if (area->iova.last < rest.last && (area->byte_at(area->iova.last) + 1) % kPage != 0) return EINVAL;
  }
  if ((area->prot & (write ? domain::kWrite : domain::kRead)) == 0) return EPERM;
  ++area->calls;
  out = area;
  return 0;
}

void IoPagetable::leave_area(Area& area, AccessPins pinned) {
  const std::lock_guard tree(*tree_lock_);
  if (pinned == AccessPins::kRevocable) ++area.pins;
  if (pinned == AccessPins::kLocking) ++area.locks;
  if (--area.calls == 0 && (area.being_unmapped || cutters_ != 0)) area_quiet_->wake_all();
}

int IoPagetable::pin(const Interval& range, bool write, AccessPins kind, std::vector<std::uint64_t>& spas) {
  const std::shared_lock domains(*domains_lock_);  // against change_payer()
  const std::size_t spas_before = spas.size();
  std::uint64_t next = range.start;
  bool complete = false;
  Undo release([&] {
    spas.resize(spas_before);
    if (next != range.start) unpin({range.start, next - 1}, kind);
  });
  while (!complete) {
    Area* area = nullptr;
    if (const int error = enter_area({next, range.last}, write, true, area)) return error;
    const std::uint64_t last = std::min(range.last, area->iova.last);
    int error = 0;
    {
      Undo out_again([&] { leave_area(*area, AccessPins::kNone); });
      error = pin_pages(*area, {next, last}, spas);
      if (!error) {
        out_again.keep();
        leave_area(*area, kind);
      }
    }
    if (error) return error;
    complete = last == range.last;
    next = last + 1;
  }
  release.keep();
  return 0;
}

int IoPagetable::pin_pages(Area& area, const Interval& part, std::vector<std::uint64_t>& spas) {
  const std::uint64_t first = area.byte_at(part.start) / kPage;
  const std::uint64_t last = area.byte_at(part.last) / kPage;
  spas.reserve(spas.size() + (last - first + 1));
  const std::lock_guard pages(area.pages->mutex());
  if (const int error = area.pages->acquire_locked(first, last)) return error;
  for (std::uint64_t page = first; page <= last; ++page)
    spas.push_back(area.pages->run_locked(page * kPage, kPage).spa);
  return 0;
}

void IoPagetable::unpin(const Interval& range, AccessPins kind) {
  for (std::uint64_t next = range.start;;) {
    Area* area = nullptr;
    {
      const std::lock_guard tree(*tree_lock_);
      area = space_.areas().first_in({next, next});
      hal::ensure(area && area->state == AreaState::kLive && (area->pins + area->locks) != 0,
                  "an access unpins what it has not pinned");
    }
    const std::uint64_t last = std::min(range.last, area->iova.last);
    {
      const std::lock_guard pages(area->pages->mutex());
      area->pages->release_locked(area->byte_at(next) / kPage, area->byte_at(last) / kPage);
    }
    {
      const std::lock_guard tree(*tree_lock_);  // the last touch: without pins the area may go at once
      if (kind == AccessPins::kLocking)
        --area->locks;
      else
        --area->pins;
    }
    if (last == range.last) return;
    next = last + 1;
  }
}

int IoPagetable::copy(hal::Memory& memory, const Interval& range, void* buffer, bool write) {
  const std::shared_lock domains(*domains_lock_);  // against change_payer()
  auto* bytes = static_cast<unsigned char*>(buffer);
  for (std::uint64_t next = range.start;;) {
    Area* area = nullptr;
    if (const int error = enter_area({next, range.last}, write, false, area)) return error;
    const std::uint64_t last = std::min(range.last, area->iova.last);
    int error = 0;
    {
      Undo out_again([&] { leave_area(*area, AccessPins::kNone); });
      error = copy_pages(memory, *area, {next, last}, bytes, write);
    }
    if (error) return error;
    if (last == range.last) return 0;
    bytes += last - next + 1;
    next = last + 1;
  }
}

int IoPagetable::copy_pages(hal::Memory& memory, Area& area, const Interval& part, unsigned char* bytes, bool write) {
  std::uint64_t left = part.length();
  for (std::uint64_t byte = area.byte_at(part.start); left > 0;) {
    const std::uint64_t piece = std::min(left, kPage - byte % kPage);
    const std::lock_guard pages(area.pages->mutex());
    if (const int error = area.pages->acquire_locked(byte / kPage, byte / kPage)) return error;
    const std::uint64_t spa = area.pages->run_locked(byte, piece).spa;
    if (write)
      memory.write(spa, bytes, piece);
    else
      memory.read(spa, bytes, piece);
    area.pages->release_locked(byte / kPage, byte / kPage);
    byte += piece, bytes += piece, left -= piece;
  }
  return 0;
}

}  // namespace iommusim::pagetable
