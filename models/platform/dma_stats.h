// SPDX-License-Identifier: Apache-2.0
// The DMA API's own counts as statistics of the system, summed over all domains.
#pragma once

#include "dma/statistics.h"
#include "stats/stats.h"

namespace iommusim::platform {

struct DmaStats : stats::Group {
  DmaStats(stats::Group& parent, const std::string& name, const dma::Statistics& counts)
      : stats::Group(parent, name), counts_(counts) {}

 private:
  std::function<std::uint64_t()> value_of(const dma::Count dma::Statistics::*count) const {
    return [this, count] { return (counts_.*count).value(); };
  }
  using S = dma::Statistics;
  const dma::Statistics& counts_;

 public:
  Derived maps{*this, "maps", Unit::kCount, "IOVA ranges that drivers mapped", value_of(&S::maps)};
  Derived unmaps{*this, "unmaps", Unit::kCount, "of these, unmapped", value_of(&S::unmaps)};
  Derived map_ns{*this, "map_ns", Unit::kNs, "time in calls that map", value_of(&S::map_ns)};
  Derived unmap_ns{*this, "unmap_ns", Unit::kNs, "time in calls that unmap or invalidate, what they wait for included",
                   value_of(&S::unmap_ns)};
  Derived syncs{*this, "syncs", Unit::kCount, "invalidations of one range that a caller waited for",
                value_of(&S::syncs)};
  Derived flushes_full{*this, "flushes_full", Unit::kCount, "flushes of an address space: a flush queue was full",
                       value_of(&S::flushes_full)};
  Derived flushes_timeout{*this, "flushes_timeout", Unit::kCount, "flushes: the oldest entry had waited long enough",
                          value_of(&S::flushes_timeout)};
  Derived flushes_space{*this, "flushes_space", Unit::kCount,
                        "flushes: no IOVA was left, or the one that was wanted still waited",
                        value_of(&S::flushes_space)};
  Derived flushes_asked{*this, "flushes_asked", Unit::kCount,
                        "flushes: recorded in a trace, or at the end of an address space", value_of(&S::flushes_asked)};
  Derived waiting{*this, "waiting", Unit::kCount, "ranges that wait for an invalidation at the end",
                  value_of(&S::waiting)};
  Derived cache_hits{*this, "iova_cache_hits", Unit::kCount, "IOVAs from a magazine", value_of(&S::cache_hits)};
  Derived depot_hits{*this, "iova_depot_hits", Unit::kCount, "magazines that a processor got from the depot",
                     value_of(&S::depot_hits)};
  Derived tree_searches{*this, "iova_tree_searches", Unit::kCount, "IOVAs looked for in the tree",
                        value_of(&S::tree_searches)};
  Derived tree_steps{*this, "iova_tree_steps", Unit::kCount, "holes looked at in these", value_of(&S::tree_steps)};
};

}  // namespace iommusim::platform
