// SPDX-License-Identifier: Apache-2.0
// What the DMA API counts. One object may serve many domains. Exact when nothing runs.
#pragma once

#include <atomic>
#include <cstdint>

namespace iommusim::dma {

class Count {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void sub(std::uint64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Statistics {
  Count maps;             ///< IOVA ranges mapped: single buffers, lists, rings
  Count unmaps;           ///< the same ranges unmapped
  Count mapped_bytes;     ///< now
  Count map_ns;           ///< time in calls that map,
  Count unmap_ns;         ///< and that unmap or invalidate
  Count syncs;            ///< invalidations of one range that a caller waited for
  Count flushes_full;     ///< of a whole domain: a flush queue was full,
  Count flushes_timeout;  ///< its time was over,
  Count flushes_space;    ///< no IOVA was left, or the one wanted still waited,
  Count flushes_asked;    ///< somebody asked: flush(), or the end of the domain
  Count waiting;          ///< unmaps whose IOVAs wait for an invalidation now
  Count cache_hits;       ///< IOVAs from the caches of a processor or the depot
  Count depot_hits;       ///< of these, with a magazine from the depot
  Count tree_searches;    ///< IOVAs looked for in the tree
  Count tree_steps;       ///< holes looked at in these

  std::uint64_t flushes() const {
    return flushes_full.value() + flushes_timeout.value() + flushes_space.value() + flushes_asked.value();
  }
};

}  // namespace iommusim::dma
