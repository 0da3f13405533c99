// SPDX-License-Identifier: Apache-2.0
// Taking areas away (R2.19 to R2.22).
//
// The walk goes area by area from the low end and starts each step with nothing locked, because between two steps other
// threads may have added, removed or pinned. An area is taken in three stages. First it refuses new use by accesses,
// and the walk waits for those at work inside it (they hold it for the length of one call). Then, if accesses have
// pins, they are asked to give them back, without any lock, as often as it takes within reason. When nobody is left,
// the area turns kRemoving: from here on this thread alone owns it, its interval stays taken, and page tables are
// cleared and pages let go outside of the tree lock. Its last step is out of the tree.
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "pagetable/io_pagetable.h"

namespace iommusim::pagetable {
namespace {

constexpr int kMaxNoticeRounds = 100;  // R2.19

}  // namespace

int IoPagetable::unmap(const Interval& range, std::uint64_t& removed) {
  removed = 0;
  int rounds = 0;
  for (std::uint64_t next = range.start;;) {
    std::shared_lock domains(*domains_lock_);
    std::unique_lock tree(*tree_lock_);
    Area* const area = space_.areas().first_in({next, range.last});
    if (!area) return 0;
    if (area->state != AreaState::kLive || area->locks != 0) return EBUSY;
    if (!range.contains(area->iova)) return ENOENT;
    area->being_unmapped = true;
    if (area->calls != 0) {
      area_quiet_->wait(*tree_lock_);
      continue;
    }
    const Interval gone = area->iova;
    if (area->pins != 0) {
      tree.unlock();
      domains.unlock();
      if (++rounds > kMaxNoticeRounds) return EDEADLOCK;
      notify(gone);
      os_.relax();
      continue;
    }
    area->state = AreaState::kRemoving;
    tree.unlock();
    if (area->filled) clear_area(*area, domains_);
    std::unique_ptr<Area> out;  // its pages end without the tree lock
    tree.lock();
    out = space_.areas().take(*area);
    tree.unlock();
    removed += gone.length();
    rounds = 0;
    if (gone.last == range.last) return 0;
    next = gone.last + 1;
  }
}

// One access after the other, each kept alive while it is called. Those that come or go meanwhile do not disturb.
void IoPagetable::notify(const Interval& range) {
  for (std::uint64_t done = 0;;) {
    AccessListener* access = nullptr;
    {
      const std::lock_guard tree(*tree_lock_);
      auto at = members_.upper_bound(done);
      while (at != members_.end() && !at->second.access->try_enter()) ++at;
      if (at == members_.end()) return;
      done = at->first;
      access = at->second.access;
    }
    access->unmapping(range.start, range.length());
    access->leave();
  }
}

}  // namespace iommusim::pagetable
