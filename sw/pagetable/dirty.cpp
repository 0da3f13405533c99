// SPDX-License-Identifier: Apache-2.0
// What devices wrote, area by area (R7). Nobody maps or unmaps meanwhile, so a driver reads tables that stand still.
#include <algorithm>
#include <mutex>

#include "pagetable/io_pagetable.h"

namespace iommusim::pagetable {
namespace {

class Nowhere final : public domain::DirtySink {
  void dirty(std::uint64_t, std::uint64_t) override {}
};

}  // namespace

void IoPagetable::read_dirty(domain::Domain& domain, const Interval& range, bool clear, domain::DirtySink& sink) {
  const std::unique_lock domains(*domains_lock_);
  read_dirty_locked(domain, range, clear, sink);
}

void IoPagetable::read_dirty_locked(domain::Domain& domain, const Interval& range, bool clear,
                                    domain::DirtySink& sink) {
  domain::Gather gather;
  for (Area* area = space_.areas().first_in(range); area && area->iova.start <= range.last;
       area = AreaMap::next(*area)) {
    const std::uint64_t first = std::max(range.start, area->iova.start);
    const std::uint64_t last = std::min(range.last, area->iova.last);
    (void)domain.read_dirty(first, last - first + 1, clear, sink, gather);  // R7.7
  }
  if (clear) domain.sync(gather);  // R7.5
}

// R7.2
int IoPagetable::track_dirty(domain::Domain& domain, bool on) {
  const std::unique_lock domains(*domains_lock_);
  Nowhere nowhere;
  if (on) read_dirty_locked(domain, {0, kMaxAddress}, true, nowhere);
  return domain.set_dirty_tracking(on);
}

}  // namespace iommusim::pagetable
